import { and, desc, eq, inArray, or, sql, type SQL } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { addressWithPort } from '../../network/index.ts';
import { credentials, handshakes, insertRows, keepNewest, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type DeviceId, requireRole } from '../access/index.ts';
import { DelayedWriter, type Log, storable } from '../common/index.ts';
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
  readonly #log: Log;
  readonly #pending = new PendingReports();
  readonly #writer: DelayedWriter;

  constructor({ store, clock, log }: HandshakeLogParts) {
    this.#store = store;
    this.#log = log;
    this.#writer = new DelayedWriter({
      clock,
      intervalMs: FLUSH_MS,
      write: () => this.#write(),
      isEmpty: () => this.#pending.isEmpty,
    });
  }

  /** Takes a report to be written. Never throws. Reports over the limits are only counted. */
  record(report: HandshakeReport): void {
    this.#pending.add(report);
    this.#writer.schedule();
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
    await this.#writer.stop();
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
  if (rows.length === 0) return strangers;
  await insertRows(tx, handshakes, rows);
  const { id, deviceId: by } = handshakes;
  const where = inArray(by, [...new Set(rows.map(({ deviceId }) => deviceId))]);
  await keepNewest(tx, { table: handshakes, id, where, by, newestFirst: [desc(id)] }, KEPT_PER_DEVICE);
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
  const name = storable(claim.name);
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
    address: addressWithPort(from),
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
  return storable(reason.slice(0, LONGEST_REASON));
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
