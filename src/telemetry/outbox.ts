import { asc, inArray, min, notInArray, sql } from 'drizzle-orm';

import { outbox, type Transaction } from '../store/index.ts';

/** An event in the outbox that is not published yet. */
export type WaitingEvent = Pick<
  typeof outbox.$inferSelect,
  'id' | 'eventId' | 'tenantId' | 'deviceId' | 'kind' | 'event'
>;

/** The events of one kind and tenant. They are held back together when the broker refuses their topic. */
export type Stream = string & { readonly stream: unique symbol };

export function streamOf({ kind, tenantId }: Pick<WaitingEvent, 'kind' | 'tenantId'>): Stream {
  return `${kind}/${tenantId}` as Stream; // only this function makes streams
}

const stream = sql<string>`${outbox.kind} || '/' || ${outbox.tenantId}`;

/** Returns up to `most` events, oldest first, without those of the streams that are held back. */
export function oldestWaiting(tx: Transaction, most: number, heldBack: readonly Stream[]): Promise<WaitingEvent[]> {
  return tx
    .select({
      id: outbox.id,
      eventId: outbox.eventId,
      tenantId: outbox.tenantId,
      deviceId: outbox.deviceId,
      kind: outbox.kind,
      event: outbox.event,
    })
    .from(outbox)
    .where(heldBack.length > 0 ? notInArray(stream, [...heldBack]) : undefined)
    .orderBy(asc(outbox.id))
    .limit(most);
}

export async function forget(tx: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await tx.delete(outbox).where(inArray(outbox.id, [...ids]));
}

/** Returns the number of waiting events and the time of the oldest. */
export async function outboxDepth(tx: Transaction): Promise<{ waiting: number; oldest: Date | null }> {
  const [depth] = await tx.select({ waiting: sql<number>`count(*)::int`, oldest: min(outbox.createdAt) }).from(outbox);
  return depth ?? { waiting: 0, oldest: null };
}
