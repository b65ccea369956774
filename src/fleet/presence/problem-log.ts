import { createHash } from 'node:crypto';
import { and, asc, desc, eq, inArray, isNull, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Clock } from '../../clock.ts';
import { addressWithPort, networkOf } from '../../network/index.ts';
import {
  credentials,
  devices,
  keepNewest,
  registrationProblems,
  type Store,
  type Transaction,
} from '../../store/index.ts';
import { DEFAULT_TENANT, type DeviceId, requireRole } from '../access/index.ts';
import { badCursor, DelayedWriter, isUuid, type Log, type Page, pageOf, storable, windowOf } from '../common/index.ts';
import { normalEndpoint } from '../devices/index.ts';
import { type ProblemReport, PendingProblems, type WaitingProblem } from './pending-problems.ts';
import type { RegistrationProblem, RegistrationProblemKind, RegistrationProblems } from './registration-problem.ts';

type Row = typeof registrationProblems.$inferSelect;
type NewRow = typeof registrationProblems.$inferInsert;

/** The newest problems that are kept: of a device; without a device of one network, and of one tenant. */
const KEPT_PER_DEVICE = 20;
const KEPT_PER_NETWORK = 20;
const KEPT_WITHOUT_DEVICE = 500;
/** The time between two writes. With the limits of PendingProblems, it limits the rows that are written in a second. */
const FLUSH_MS = 1_000;
/** The most problems that one write puts in the process log, one line for each. */
const LOGGED = 10;
const LONGEST_REASON = 500;
const LONGEST_ENDPOINT = 255;

/** The services that ProblemLog uses. */
export interface ProblemLogParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** The device and the tenant that a problem belongs to. */
interface Owner {
  readonly tenantId: string;
  readonly deviceId: string | null;
  /** The endpoint name of the device. */
  readonly endpoint: string | null;
}

/**
 * Records why devices can't register. With a credential, the problem belongs to the device of the credential, also if
 * the credential was revoked. Over NoSec, it belongs to the device of the default tenant that has the endpoint name,
 * else to the default tenant. It writes once a second, a limited number of problems in one transaction, so that the load
 * stays limited when a stranger sends a thousand Registers a second.
 */
export class ProblemLog implements RegistrationProblems {
  readonly #store: Store;
  readonly #log: Log;
  readonly #pending = new PendingProblems();
  readonly #writer: DelayedWriter;

  constructor({ store, clock, log }: ProblemLogParts) {
    this.#store = store;
    this.#log = log;
    this.#writer = new DelayedWriter({
      clock,
      intervalMs: FLUSH_MS,
      write: () => this.#write(),
      isEmpty: () => this.#pending.isEmpty,
    });
  }

  /** Takes a problem to be written. Never throws. Problems over the limits are only counted. */
  record(report: ProblemReport): void {
    this.#pending.add(report, networkOf(report.peer.address));
    this.#writer.schedule();
  }

  /** The number of problems of each kind since the start, and of those that were not recorded. */
  snapshot(): { readonly counts: Readonly<Record<RegistrationProblemKind, number>>; readonly leftOut: number } {
    return this.#pending.snapshot();
  }

  async page(
    ...[actor, request, filter = {}]: Parameters<RegistrationProblems['page']>
  ): Promise<Page<RegistrationProblem>> {
    requireRole(actor, 'operator');
    const window = windowOf(request, 'registration problems', filter);
    const { from, backward } = window;
    const rows = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx
        .select()
        .from(registrationProblems)
        .where(
          and(
            filter.deviceId === undefined ? undefined : eq(registrationProblems.deviceId, filter.deviceId),
            filter.kinds ? inArray(registrationProblems.kind, [...filter.kinds]) : undefined,
            from === null ? undefined : beyond(from, backward),
          ),
        )
        .orderBy(
          ...[registrationProblems.lastAt, registrationProblems.id].map((column) =>
            backward ? asc(column) : desc(column),
          ),
        )
        .limit(window.size + 1),
    );
    return pageOf(rows, window, ({ id, lastAt }) => ({ key: lastAt.toISOString(), id: String(id) }), problemOfRow);
  }

  /** Writes the waiting problems. Call it when no more problems come. */
  async stop(): Promise<void> {
    await this.#writer.stop();
  }

  /** Never rejects: a device gets its answer even if its problem can't be stored. */
  async #write(): Promise<void> {
    const { problems, leftOut } = this.#pending.take();
    try {
      const owned = problems.length === 0 ? [] : await this.#store.asSystem((tx) => write(tx, problems));
      this.#logAll(owned, leftOut);
    } catch (error) {
      this.#log.error({ err: error, problems: problems.length }, 'registration problems could not be recorded');
    }
  }

  #logAll(owned: readonly (readonly [WaitingProblem, Owner | null])[], leftOut: number): void {
    for (const [{ report, count }, owner] of owned.slice(0, LOGGED)) {
      const { endpoint, kind, code, reason, peer } = report;
      this.#log.info(
        {
          tenantId: owner?.tenantId ?? null,
          device: owner?.endpoint ?? null,
          endpoint,
          address: addressWithPort(peer),
          kind,
          code,
          count,
        },
        `${code === null ? 'a registration moves back and forth' : 'a Register or Update was refused'}: ${reason.slice(0, LONGEST_REASON)}`,
      );
    }
    const more = leftOut + Math.max(0, owned.length - LOGGED);
    if (more > 0) this.#log.warn({ problems: more }, 'there are more registration problems than are logged one by one');
  }
}

/** The rows after (`backward`: before) the row of a cursor. Throws VALIDATION for the cursor of another list. */
function beyond({ key, id }: { readonly key: string; readonly id: string }, backward: boolean): SQL {
  const at = new Date(key);
  const number = Number(id);
  if (Number.isNaN(at.getTime()) || !Number.isSafeInteger(number)) {
    throw badCursor(backward);
  }
  const row = sql`(${registrationProblems.lastAt}, ${registrationProblems.id})`;
  const cursor = sql`(${at.toISOString()}::timestamptz, ${number}::bigint)`;
  return backward ? sql`${row} > ${cursor}` : sql`${row} < ${cursor}`;
}

/** Writes the problems. Resolves with the owner of each; null: its credential was deleted, so no tenant is known. */
async function write(
  tx: Transaction,
  problems: readonly WaitingProblem[],
): Promise<(readonly [WaitingProblem, Owner | null])[]> {
  const ownerOf = await owners(
    tx,
    problems.map(({ report }) => report),
  );
  const owned = problems.map((problem) => [problem, ownerOf(problem.report)] as const);
  const rows = new Map<string, NewRow>();
  for (const [problem, owner] of owned) {
    if (owner === null) continue;
    const row = rowOf(problem, owner);
    const key = [row.tenantId, row.deviceId, row.digest].join(' ');
    const same = rows.get(key);
    // One statement changes each row only once.
    rows.set(key, same ? { ...row, count: same.count + row.count, firstAt: same.firstAt } : row);
  }
  if (rows.size > 0) {
    await tx
      .insert(registrationProblems)
      .values([...rows.values()])
      .onConflictDoUpdate({
        target: [registrationProblems.tenantId, registrationProblems.deviceId, registrationProblems.digest],
        set: {
          count: sql`${registrationProblems.count} + excluded.count`,
          lastAt: sql`excluded.last_at`,
          address: sql`excluded.address`,
          network: sql`excluded.network`,
          security: sql`excluded.security`,
          code: sql`excluded.code`,
        },
      });
    await forgetOld(tx, [...rows.values()]);
  }
  return owned;
}

/**
 * Finds the device of each report: by its id, by the credential, or by the endpoint name. Locks the devices, so that
 * none is deleted before the rows that refer to it are written.
 */
async function owners(
  tx: Transaction,
  reports: readonly ProblemReport[],
): Promise<(report: ProblemReport) => Owner | null> {
  const credentialIds = reports.flatMap(({ peer }) => peer.security?.credential ?? []).filter(isUuid);
  const holders = await tx
    .select({ id: credentials.id, deviceId: credentials.deviceId })
    .from(credentials)
    .where(inArray(credentials.id, [...new Set(credentialIds)]));
  const holderOf = new Map(holders.map(({ id, deviceId }) => [id, deviceId]));
  const names = reports.flatMap(({ peer, endpoint }) =>
    peer.security === null && endpoint !== null ? [storedName(endpoint)] : [],
  );
  const ids = [...holderOf.values(), ...reports.flatMap(({ deviceId }) => deviceId ?? [])];
  const found = await tx
    .select({ id: devices.id, tenantId: devices.tenantId, endpoint: devices.endpoint })
    .from(devices)
    .where(
      or(
        inArray(devices.id, [...new Set(ids)]),
        and(eq(devices.tenantId, DEFAULT_TENANT), inArray(devices.endpoint, [...new Set(names)])),
      ),
    )
    .for('key share');
  const owner = (device: (typeof found)[number] | undefined): Owner | null =>
    device ? { tenantId: device.tenantId, deviceId: device.id, endpoint: device.endpoint } : null;
  const byId = new Map(found.map((device) => [device.id, device]));
  const byName = new Map(
    found.filter(({ tenantId }) => tenantId === DEFAULT_TENANT).map((device) => [device.endpoint, device]),
  );
  return ({ deviceId, peer, endpoint }) => {
    if (deviceId !== null) return owner(byId.get(deviceId));
    if (peer.security !== null) return owner(byId.get(holderOf.get(peer.security.credential) ?? ''));
    const named = owner(endpoint === null ? undefined : byName.get(storedName(endpoint)));
    return named ?? { tenantId: DEFAULT_TENANT, deviceId: null, endpoint: null };
  };
}

function rowOf({ report, count, firstAt, lastAt }: WaitingProblem, { tenantId, deviceId }: Owner): NewRow {
  const { kind, code, peer } = report;
  const endpoint = report.endpoint === null ? null : storedName(report.endpoint);
  const reason = storable(report.reason.slice(0, LONGEST_REASON));
  return {
    tenantId,
    deviceId,
    endpoint,
    kind,
    code,
    reason,
    address: addressWithPort(peer),
    network: networkOf(peer.address),
    security: peer.security && { kind: peer.security.kind, name: storable(peer.security.name) },
    digest: createHash('sha256')
      .update(JSON.stringify([endpoint, kind, reason]))
      .digest('hex'),
    count,
    firstAt: new Date(firstAt),
    lastAt: new Date(lastAt),
  };
}

/** Deletes all but the newest problems of each device, and of each network and tenant without a device. */
async function forgetOld(tx: Transaction, rows: readonly NewRow[]): Promise<void> {
  const ids = [...new Set(rows.flatMap(({ deviceId }) => deviceId ?? []))];
  if (ids.length > 0) {
    await keep(tx, inArray(registrationProblems.deviceId, ids), registrationProblems.deviceId, KEPT_PER_DEVICE);
  }
  const strange = rows.filter(({ deviceId }) => deviceId === null);
  for (const tenantId of new Set(strange.map((row) => row.tenantId))) {
    const ofNoDevice = and(eq(registrationProblems.tenantId, tenantId), isNull(registrationProblems.deviceId));
    await keep(tx, ofNoDevice, registrationProblems.network, KEPT_PER_NETWORK);
    await keep(tx, ofNoDevice, registrationProblems.tenantId, KEPT_WITHOUT_DEVICE);
  }
}

async function keep(tx: Transaction, where: SQL | undefined, by: PgColumn, most: number): Promise<void> {
  const { id, lastAt } = registrationProblems;
  await keepNewest(tx, { table: registrationProblems, id, where, by, newestFirst: [desc(lastAt), desc(id)] }, most);
}

/** The form in which an endpoint name is looked up and stored. */
function storedName(endpoint: string): string {
  return storable(normalEndpoint(endpoint).slice(0, LONGEST_ENDPOINT));
}

/** The casts are safe: this file wrote the columns. */
function problemOfRow({ id, deviceId, security, ...row }: Row): RegistrationProblem {
  const { endpoint, kind, code, reason, address, count, firstAt, lastAt } = row;
  return {
    id: String(id),
    deviceId: deviceId as DeviceId | null,
    endpoint,
    kind,
    code,
    reason,
    address,
    security: security as RegistrationProblem['security'],
    count,
    firstAt,
    lastAt,
  };
}
