import { and, desc, eq, inArray, or, sql, type SQL } from 'drizzle-orm';
import type { Clock, Timer } from '../../clock.ts';
import { credentials, handshakes, insertRows, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type DeviceId, requireRole } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import type { CredentialKind } from './credential.ts';
import type { HandshakeRecord, HandshakeReport, Handshakes } from './handshake.ts';
import { PendingReports } from './pending-reports.ts';

const KEPT_PER_DEVICE = 20;
/** The time between two writes. With the limits of PendingReports, it limits the rows that are written in a second. */
const FLUSH_MS = 1_000;
/** Most failures without a known credential that one write puts in the process log, one line for each. */
const LOGGED_STRANGERS = 10;
const LONGEST_REASON = 500;

/** A credential that a handshake claimed. */
interface Claimed {
  readonly id: string;
  readonly tenantId: string;
  readonly deviceId: string;
  readonly kind: CredentialKind;
  readonly identity: string;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface HandshakeLogParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Stores the last handshakes of each device. It writes once a second, a limited number of handshakes in one
 * transaction: the load on the database stays limited also when all devices connect at once, or a stranger fails a
 * thousand times a second. A failed handshake is stored for the device whose credential was claimed, although the claim
 * is not proved. A failed handshake without a known credential goes to the process log.
 */
export class HandshakeLog implements Handshakes {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pending = new PendingReports();
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor({ store, clock, log }: HandshakeLogParts) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes a report to be written. Never throws. Reports over the limits are only counted. */
  record(report: HandshakeReport): void {
    this.#pending.add(report);
    this.#timer ??= this.#clock.after(FLUSH_MS, () => void this.#flush());
  }

  async list(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, HandshakeRecord[]>> {
    requireRole(actor, 'admin');
    const found = new Map<DeviceId, HandshakeRecord[]>(deviceIds.map((id) => [id, []]));
    if (deviceIds.length === 0) return found;
    const rows = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx
        .select()
        .from(handshakes)
        .where(inArray(handshakes.deviceId, [...deviceIds]))
        .orderBy(desc(handshakes.id)),
    );
    for (const { id, tenantId: _, deviceId, ...handshake } of rows) {
      const device = deviceId as DeviceId; // the column contains only device ids
      found.get(device)?.push({ id: String(id), deviceId: device, ...handshake });
    }
    return found;
  }

  /** Writes the waiting reports. Call it when no more reports come. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  /** Never rejects: devices can connect even if their handshakes can't be stored. */
  async #write(): Promise<void> {
    const { reports, leftOut } = this.#pending.take();
    try {
      const strangers = reports.length === 0 ? [] : await this.#store.asSystem((tx) => write(tx, reports));
      this.#logStrangers(strangers, leftOut);
    } catch (error) {
      this.#log.error({ err: error, handshakes: reports.length }, 'handshakes could not be recorded');
    }
    this.#timer = this.#pending.isEmpty ? null : this.#clock.after(FLUSH_MS, () => void this.#flush());
  }

  #logStrangers(strangers: readonly HandshakeReport[], leftOut: number): void {
    for (const { from, claim, outcome } of strangers.slice(0, LOGGED_STRANGERS)) {
      if (outcome.established) continue;
      const { address, port } = from;
      const { alert, reason } = outcome;
      this.#log.info(
        { address, port, kind: claim?.kind, alert },
        `a DTLS handshake failed: ${reason.slice(0, LONGEST_REASON)}`,
      );
    }
    const more = leftOut + Math.max(0, strangers.length - LOGGED_STRANGERS);
    if (more > 0) this.#log.warn({ handshakes: more }, 'more DTLS handshakes ended than are logged one by one');
  }
}

/** Writes the handshakes of known credentials. Resolves with the other reports. */
async function write(tx: Transaction, reports: readonly HandshakeReport[]): Promise<HandshakeReport[]> {
  const known = await claimedCredentials(tx, reports);
  const strangers: HandshakeReport[] = [];
  const rows: (typeof handshakes.$inferInsert)[] = [];
  for (const report of reports) {
    // Credentials that are not revoked come first. Only the first match gets the record: no other tenant sees it.
    const claimed = known.find((credential) => isClaim(report, credential));
    if (claimed) rows.push(rowOf(report, claimed));
    else strangers.push(report);
  }
  await insertRows(tx, handshakes, rows);
  await forgetOld(tx, [...new Set(rows.map(({ deviceId }) => deviceId))]);
  return strangers;
}

/**
 * Selects the claimed credentials and locks them, so that none is deleted before the rows that refer to it are written.
 */
async function claimedCredentials(tx: Transaction, reports: readonly HandshakeReport[]): Promise<Claimed[]> {
  const ids = reports.flatMap(({ credential }) => credential ?? []);
  const named = (kind: CredentialKind): SQL | undefined => {
    const names = reports.flatMap((report) => (report.claim?.kind === kind ? identityOf(report) : []));
    return names.length === 0
      ? undefined
      : and(eq(credentials.kind, kind), inArray(credentials.identity, [...new Set(names)]));
  };
  return tx
    .select({
      id: credentials.id,
      tenantId: credentials.tenantId,
      deviceId: credentials.deviceId,
      kind: credentials.kind,
      identity: credentials.identity,
      expiresAt: credentials.expiresAt,
      revokedAt: credentials.revokedAt,
    })
    .from(credentials)
    .where(or(inArray(credentials.id, ids), named('psk'), named('rpk'), named('x509')))
    .orderBy(sql`${credentials.revokedAt} desc nulls first`, credentials.createdAt)
    .for('key share');
}

function isClaim(report: HandshakeReport, credential: Claimed): boolean {
  if (report.credential !== null) return report.credential === credential.id;
  return report.claim?.kind === credential.kind && identityOf(report).includes(credential.identity);
}

/**
 * The identities under which the claimed credential can be stored. For a certificate: the common name in its subject.
 */
function identityOf({ claim, credential }: HandshakeReport): string[] {
  if (claim === null || credential !== null) return [];
  // A text in PostgreSQL can't contain NUL.
  const name = claim.name.replaceAll('\0', '\uFFFD');
  if (claim.kind !== 'x509') return [name];
  return name.split(', ').flatMap((part) => (part.startsWith('CN=') ? [part.slice('CN='.length)] : []));
}

function rowOf(report: HandshakeReport, credential: Claimed): typeof handshakes.$inferInsert {
  const { from, outcome } = report;
  return {
    tenantId: credential.tenantId,
    deviceId: credential.deviceId,
    credentialId: credential.id,
    at: new Date(report.at),
    durationMs: Math.round(report.durationMs),
    address: `${from.address.includes(':') ? `[${from.address}]` : from.address}:${from.port}`,
    suite: report.suite,
    resumed: report.resumed,
    established: outcome.established,
    alert: outcome.established ? null : outcome.alert,
    reason: outcome.established ? null : reasonOf(report, outcome.reason, credential),
  };
}

/** The reason of a failure. The DTLS server knows only that the credential is not valid; here the database says why. */
function reasonOf(report: HandshakeReport, reason: string, { expiresAt, revokedAt }: Claimed): string {
  const ended = expiresAt !== null && expiresAt.getTime() <= report.at ? expiresAt : null;
  if (report.credential === null && revokedAt) return `the credential was revoked ${day(revokedAt)}`;
  if (report.credential === null && ended) return `the credential ended by its rotation ${day(ended)}`;
  return reason.replaceAll('\0', '\uFFFD').slice(0, LONGEST_REASON);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Deletes all but the newest handshakes of each device. */
async function forgetOld(tx: Transaction, deviceIds: readonly string[]): Promise<void> {
  if (deviceIds.length === 0) return;
  const places = tx
    .select({
      id: handshakes.id,
      place: sql<number>`row_number() over (partition by ${handshakes.deviceId} order by ${handshakes.id} desc)`.as(
        'place',
      ),
    })
    .from(handshakes)
    .where(inArray(handshakes.deviceId, [...deviceIds]))
    .as('places');
  const old = tx
    .select({ id: places.id })
    .from(places)
    .where(sql`${places.place} > ${KEPT_PER_DEVICE}`);
  await tx.delete(handshakes).where(inArray(handshakes.id, old));
}
