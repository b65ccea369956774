import { and, desc, eq, inArray, or, sql, type SQL } from 'drizzle-orm';
import type { Clock, Timer } from '../../clock.ts';
import { credentials, handshakes, insertRows, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type DeviceId, requireRole } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import type { CredentialKind } from './credential.ts';
import type { HandshakeRecord, HandshakeReport, Handshakes } from './handshake.ts';
import { PendingReports } from './pending-reports.ts';

const KEPT_PER_DEVICE = 20;
/** Between two writes; with the bounds of what waits, this bounds the rows a second. */
const FLUSH_MS = 1_000;
/** Failures of nobody that we know, told one by one in the process's log at each write. */
const TOLD_STRANGERS = 10;
const LONGEST_REASON = 500;

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
 * The last handshakes of each device. They are written together once a second, a bounded number of them: devices that
 * come all at once, or a stranger who fails a thousand times a second, cost the database no more than that. A failure
 * belongs to the device whose credential was claimed, though nobody proved the claim; what claims nothing that we know
 * is told in the process's log.
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

  /** Never throws; what is beyond the bounds is counted and left out. */
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
      const device = deviceId as DeviceId; // the column holds what DeviceId names
      found.get(device)?.push({ id: String(id), deviceId: device, ...handshake });
    }
    return found;
  }

  /** Writes what waits. Call when no more reports come. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  /** Never rejects: a log that can't be written keeps nobody from connecting. */
  async #write(): Promise<void> {
    const { reports, leftOut } = this.#pending.take();
    try {
      const strangers = reports.length === 0 ? [] : await this.#store.asSystem((tx) => write(tx, reports));
      this.#tell(strangers, leftOut);
    } catch (error) {
      this.#log.error({ err: error, handshakes: reports.length }, 'handshakes could not be recorded');
    }
    this.#timer = this.#pending.isEmpty ? null : this.#clock.after(FLUSH_MS, () => void this.#flush());
  }

  #tell(strangers: readonly HandshakeReport[], leftOut: number): void {
    for (const { from, claim, outcome } of strangers.slice(0, TOLD_STRANGERS)) {
      if (outcome.established) continue;
      const { address, port } = from;
      const { alert, reason } = outcome;
      this.#log.info(
        { address, port, kind: claim?.kind, alert },
        `a DTLS handshake failed: ${reason.slice(0, LONGEST_REASON)}`,
      );
    }
    const more = leftOut + Math.max(0, strangers.length - TOLD_STRANGERS);
    if (more > 0) this.#log.warn({ handshakes: more }, 'more DTLS handshakes ended than are logged one by one');
  }
}

/** Writes those of known credentials, and returns the others. */
async function write(tx: Transaction, reports: readonly HandshakeReport[]): Promise<HandshakeReport[]> {
  const known = await claimedCredentials(tx, reports);
  const strangers: HandshakeReport[] = [];
  const rows: (typeof handshakes.$inferInsert)[] = [];
  for (const report of reports) {
    // The order puts the one that counts first. What else has the name, another tenant's too, learns nothing.
    const claimed = known.find((credential) => isClaim(report, credential));
    if (claimed) rows.push(rowOf(report, claimed));
    else strangers.push(report);
  }
  await insertRows(tx, handshakes, rows);
  await forgetOld(tx, [...new Set(rows.map(({ deviceId }) => deviceId))]);
  return strangers;
}

/** Locked, so that none of them is deleted before the rows that refer to it are there. */
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

/** What the claim is on file as. Of a certificate it is the common name, which stands within its subject. */
function identityOf({ claim, credential }: HandshakeReport): string[] {
  if (claim === null || credential !== null) return [];
  // PostgreSQL's text holds no NUL.
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

/** The server knows no more than that the claim doesn't count; here it is known why. */
function reasonOf(report: HandshakeReport, reason: string, { expiresAt, revokedAt }: Claimed): string {
  const ended = expiresAt !== null && expiresAt.getTime() <= report.at ? expiresAt : null;
  if (report.credential === null && revokedAt) return `the credential was revoked ${day(revokedAt)}`;
  if (report.credential === null && ended) return `the credential ended by its rotation ${day(ended)}`;
  return reason.replaceAll('\0', '\uFFFD').slice(0, LONGEST_REASON);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

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
