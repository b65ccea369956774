import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, gt, inArray, isNull, lt, sql } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import type { BootstrapOutcome, BootstrapStep } from '../../lwm2m/index.ts';
import { bootstraps, type Store, type Transaction } from '../../store/index.ts';
import type { Actor, DeviceId, TenantId } from '../access/index.ts';
import { badCursor, FleetError, type Page, pageOf, windowOf } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
import type { BootstrapEvents, Bootstrap, Bootstraps } from './bootstrap.ts';

type BootstrapRow = typeof bootstraps.$inferSelect;

/** The facts of a Bootstrap-Request that the journal records. */
export interface BootstrapBeginning {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId | null;
  readonly endpoint: string | null;
  readonly pack: boolean;
  readonly address: string;
  readonly security: { readonly kind: string; readonly name: string; readonly credential: string } | null;
}

/** The journal keeps so many bootstraps of each device, and so many refusals of each tenant without a device. */
const MOST_KEPT = 50;

/** Records bootstraps in the database and publishes each change. */
export class BootstrapJournal {
  readonly #store: Store;
  readonly #bus: EventBus<BootstrapEvents>;
  readonly #clock: Clock;

  constructor(store: Store, bus: EventBus<BootstrapEvents>, clock: Clock) {
    this.#store = store;
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Records a running bootstrap in the transaction that creates its key. Call `publish` after the commit. */
  async begin(tx: Transaction, beginning: BootstrapBeginning): Promise<Bootstrap> {
    return this.#insert(tx, beginning, { status: 'RUNNING', reason: null, endedAt: null });
  }

  /** Records a refused bootstrap. */
  async refused(beginning: BootstrapBeginning, reason: string): Promise<void> {
    const end = { status: 'REFUSED', reason, endedAt: new Date(this.#clock.now()) } as const;
    this.publish(await this.#store.asTenant(beginning.tenantId, (tx) => this.#insert(tx, beginning, end)));
  }

  /** Adds a step to a bootstrap. */
  async stepped(tenantId: TenantId, id: string, step: BootstrapStep): Promise<void> {
    await this.#update(tenantId, id, { steps: sql`${bootstraps.steps} || ${JSON.stringify([step])}::jsonb` });
  }

  /** Records the end of a bootstrap: FINISHED or FAILED. */
  async ended(tenantId: TenantId, id: string, outcome: BootstrapOutcome): Promise<void> {
    await this.#update(tenantId, id, {
      endedAt: new Date(this.#clock.now()),
      ...(outcome.finished
        ? { status: 'FINISHED', lwm2mVersion: outcome.lwm2mVersion }
        : { status: 'FAILED', reason: outcome.reason }),
    });
  }

  /** Marks the bootstraps that ran when the server stopped as FAILED. Their devices bootstrap again. */
  async interrupted(): Promise<void> {
    const end = { status: 'FAILED', reason: 'the server was restarted', endedAt: new Date(this.#clock.now()) } as const;
    await this.#store.asSystem((tx) => tx.update(bootstraps).set(end).where(eq(bootstraps.status, 'RUNNING')));
  }

  /** Returns a page of the tenant's bootstraps, the newest first. */
  async page(...[actor, request, filter = {}]: Parameters<Bootstraps['page']>): Promise<Page<Bootstrap>> {
    const window = windowOf(request, 'bootstraps', filter);
    const { from, backward } = window;
    const after = from ? Number(from.key) : null;
    if (after !== null && !Number.isSafeInteger(after)) {
      throw badCursor(backward);
    }
    const rows = await this.#rows(actor, (tx) =>
      tx
        .select()
        .from(bootstraps)
        .where(
          and(
            filter.deviceId === undefined ? undefined : eq(bootstraps.deviceId, filter.deviceId),
            filter.status ? inArray(bootstraps.status, [...filter.status]) : undefined,
            after === null ? undefined : (backward ? gt : lt)(bootstraps.sequence, after),
          ),
        )
        .orderBy((backward ? asc : desc)(bootstraps.sequence))
        .limit(window.size + 1),
    );
    return pageOf(rows, window, (row) => ({ key: String(row.sequence), id: row.id }), bootstrapOfRow);
  }

  /** Publishes the event of a recorded change. */
  publish(bootstrap: Bootstrap): void {
    const { tenantId, deviceId } = bootstrap;
    const key = deviceId === null ? tenantId : deviceKey(tenantId, deviceId);
    this.#bus.publish('bootstrapChanged', key, { tenantId, bootstrap });
  }

  #rows(actor: Actor, read: (tx: Transaction) => Promise<BootstrapRow[]>): Promise<BootstrapRow[]> {
    return this.#store.asTenant(actor.tenantId, read);
  }

  async #insert(
    tx: Transaction,
    { security, ...beginning }: BootstrapBeginning,
    end: Pick<BootstrapRow, 'status' | 'reason' | 'endedAt'>,
  ): Promise<Bootstrap> {
    const { deviceId, tenantId } = beginning;
    const [row] = await tx
      .insert(bootstraps)
      .values({
        ...beginning,
        ...end,
        id: randomUUID(),
        security: security && { kind: security.kind, name: security.name },
        credentialId: security?.credential ?? null,
        steps: [],
        startedAt: new Date(this.#clock.now()),
      })
      .returning();
    if (!row) throw new FleetError('CONFLICT', 'the bootstrap could not be recorded: try again');
    const owned =
      deviceId === null
        ? and(eq(bootstraps.tenantId, tenantId), isNull(bootstraps.deviceId))
        : eq(bootstraps.deviceId, deviceId);
    const tooOld = tx
      .select({ sequence: bootstraps.sequence })
      .from(bootstraps)
      .where(owned)
      .orderBy(desc(bootstraps.sequence))
      .offset(MOST_KEPT)
      .limit(1);
    await tx.delete(bootstraps).where(and(owned, sql`${bootstraps.sequence} <= (${tooOld})`));
    return bootstrapOfRow(row);
  }

  async #update(
    tenantId: TenantId,
    id: string,
    changes: Parameters<ReturnType<Transaction['update']>['set']>[0],
  ): Promise<void> {
    const [row] = await this.#store.asTenant(tenantId, (tx) =>
      tx.update(bootstraps).set(changes).where(eq(bootstraps.id, id)).returning(),
    );
    // The bootstrap may have been deleted with its device meanwhile.
    if (row) this.publish(bootstrapOfRow(row));
  }
}

/** Converts a row to a bootstrap. The casts are safe: this file wrote the columns. */
function bootstrapOfRow(row: BootstrapRow): Bootstrap {
  return {
    ...row,
    tenantId: row.tenantId as TenantId,
    deviceId: row.deviceId as DeviceId | null,
    security: row.security as Bootstrap['security'],
    steps: row.steps as BootstrapStep[],
  };
}
