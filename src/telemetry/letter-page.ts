import { and, asc, desc, eq, gt, lt, type SQL } from 'drizzle-orm';

import {
  badCursor,
  isUuid,
  pageOf,
  windowOf,
  type Actor,
  type DeviceId,
  type Page,
  type PageRequest,
  type PageWindow,
} from '../fleet/index.ts';
import { deadLetters, type Store } from '../store/index.ts';

/** A dead letter of a device as the API shows it. The bytes stay in the database: they can contain secrets. */
export interface DeadLetterEntry {
  /** The path of the reading or of the operation; the topic of an event. */
  readonly path: string;
  readonly kind: 'payload' | 'reading' | 'event';
  readonly reason: string;
  readonly contentFormat: number | null;
  readonly receivedAt: Date;
}

type Row = DeadLetterEntry & { readonly id: number };

/** Reads the dead letters of a device, newest first. */
export async function letterPage(
  store: Store,
  { tenantId }: Actor,
  deviceId: DeviceId,
  request: PageRequest,
): Promise<Page<DeadLetterEntry>> {
  const window = windowOf(request, 'dead letters', deviceId);
  const beyond = beyondOf(window);
  const { id, path, kind, reason, contentFormat, receivedAt } = deadLetters;
  const rows: Row[] = isUuid(deviceId)
    ? await store.asTenant(tenantId, (tx) =>
        tx
          .select({ id, path, kind, reason, contentFormat, receivedAt })
          .from(deadLetters)
          .where(and(eq(deadLetters.deviceId, deviceId), beyond))
          .orderBy(window.backward ? asc(id) : desc(id))
          .limit(window.size + 1),
      )
    : [];
  return pageOf(
    rows,
    window,
    (row) => ({ key: 'letter', id: String(row.id) }),
    (row) => row,
  );
}

/** Throws VALIDATION for a cursor of another list. */
function beyondOf({ from, backward }: PageWindow): SQL | undefined {
  if (from === null) return undefined;
  if (from.key !== 'letter' || !/^\d{1,15}$/.test(from.id)) {
    throw badCursor(backward);
  }
  const id = Number(from.id);
  return backward ? gt(deadLetters.id, id) : lt(deadLetters.id, id);
}
