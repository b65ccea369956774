import type { Clock } from '../clock.ts';
import { type Address, isSameAddress } from './address.ts';
import { type AlertDescription, decodeAlert, encodeAlert } from './alert.ts';
import type { CredentialSource } from './credential-source.ts';
import { Handshake, type HandshakeContext } from './handshake.ts';
import { type Established, failureOf, type HandshakeFailure } from './handshake-outcome.ts';
import { type HandshakeReport, refusalReport, reportOf } from './handshake-report.ts';
import { HandshakeTable } from './handshake-table.ts';
import { type Hello, HelloGate } from './hello-gate.ts';
import { LookUps } from './look-ups.ts';
import { HANDSHAKE, type HandshakeFragment, parseFragments } from './messages.ts';
import { Counters, type DtlsMetrics } from './metrics.ts';
import { negotiate, type Negotiated } from './negotiation.ts';
import { OpenSessions, type SessionEvents } from './open-sessions.ts';
import type { Random } from './random.ts';
import { CID_LENGTH, CONTENT, type DtlsRecord, encodeRecord, parseRecords } from './record.ts';
import { Resumables } from './resumption.ts';
import { Session } from './session.ts';
import type { DtlsSettings } from './settings.ts';
import { TokenBucket } from './token-bucket.ts';
import { lasting } from './wire.ts';

/** Alerts per second, in total, in answer to records of unknown sessions. */
const UNKNOWN_SESSION_ALERTS = 50;
/**
 * A failed look-up does not mean that the certificate is invalid, so the engine tries this often, with a pause in
 * between.
 */
const RECHECKS = 3;
const RECHECK_PAUSE_MS = 1_000;
/** No valid protected fragment is shorter, and no plain alert record is longer than a record with such a fragment. */
const SHORTEST_PROTECTED = 16;

/** The unprotected messages of the flight with which a device ends a full handshake. */
const LAST_FLIGHT: ReadonlySet<number> = new Set([
  HANDSHAKE.certificate,
  HANDSHAKE.clientKeyExchange,
  HANDSHAKE.certificateVerify,
]);

/** The engine's callbacks. They must not throw; they may call `send`. */
export interface EngineEvents extends SessionEvents {
  handshakeEnded(report: HandshakeReport): void;
}

export interface EngineParts {
  readonly settings: DtlsSettings;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EngineEvents;
}

/** A DTLS 1.2 server without a socket: it takes datagrams and calls `EngineEvents`. */
export class DtlsEngine {
  readonly sessions: OpenSessions;
  readonly resumables: Resumables;
  readonly lookUps: LookUps;
  readonly #parts: EngineParts;
  readonly #counters = new Counters();
  readonly #gate: HelloGate;
  readonly #handshakes: HandshakeTable;
  readonly #unknownSessionAlerts: TokenBucket;
  readonly #context: HandshakeContext;
  /** The number of revocations so far. */
  #revocations = 0;
  /** True when the current datagram has already contained a ClientHello. */
  #hasHello = false;

  constructor(parts: EngineParts) {
    const { settings, credentials, clock, random, events } = parts;
    const { limits } = settings;
    const transmit = (to: Address, datagram: Buffer): void => events.transmit(to, datagram);
    this.#parts = parts;
    this.lookUps = new LookUps(credentials, clock, limits);
    this.resumables = new Resumables(clock, limits);
    this.sessions = new OpenSessions({ clock, limits, events, resumables: this.resumables, counters: this.#counters });
    this.#gate = new HelloGate(clock, random, this.#counters, transmit);
    this.#handshakes = new HandshakeTable(limits);
    this.#unknownSessionAlerts = new TokenBucket(clock, UNKNOWN_SESSION_ALERTS);
    this.#context = {
      settings,
      clock,
      random,
      lookUps: this.lookUps,
      resumables: this.resumables,
      transmit,
      revocations: () => this.#revocations,
      hasRoom: () => this.#hasRoom(),
      established: (handshake, established) => this.#established(handshake, established),
      failed: (handshake, failure) => this.#failed(handshake, failure),
    };
  }

  get metrics(): DtlsMetrics {
    return this.#counters.snapshot({
      sessions: this.sessions.size,
      resumable: this.resumables.size,
      halfOpen: this.#handshakes.size,
      lookUps: this.lookUps.pending,
    });
  }

  /** Never throws, and keeps no reference to `datagram`. */
  receive(from: Address, datagram: Buffer): void {
    this.#counters.datagramsReceived++;
    this.#hasHello = false;
    const records = parseRecords(datagram);
    if (records.length === 0) this.#counters.dropped('malformed');
    for (const record of records) {
      if (record.epoch === 0 && record.cid === null) this.#receivePlain(from, record);
      else if (record.epoch === 1) this.#receiveProtected(from, record);
      else this.#counters.dropped('wrong_epoch');
    }
  }

  /** Sends one message in the session with this key, or drops it. */
  send(key: string, data: Buffer): void {
    this.sessions.send(key, data);
  }

  /** Ends the credential's sessions and handshakes, and makes its sessions not resumable. */
  endSessions(credential: string): void {
    this.#revocations++;
    for (const handshake of this.#handshakes.all()) {
      if (handshake.credential === credential) handshake.abandon('the credential was revoked');
    }
    this.sessions.endOf(credential);
  }

  /**
   * Ends the sessions of certificates that a new handshake would refuse, and those with three failed look-ups.
   * Checks one session after the other. Resumable sessions are checked when the device resumes them.
   */
  async recheckCertificates(): Promise<void> {
    this.#revocations++;
    // A copy, because use changes the order of the sessions in the table.
    let unanswered = [...this.sessions.all()].filter(({ parts }) => parts.proof.kind === 'x509');
    for (let tries = 1; tries <= RECHECKS && unanswered.length > 0; tries++) {
      if (tries > 1) await this.#pause(RECHECK_PAUSE_MS);
      unanswered = await this.#recheck(unanswered);
    }
    for (const session of unanswered) this.#revoke(session);
  }

  /** Ends all handshakes. Keeps the sessions, so that they can be saved. */
  suspend(): void {
    for (const handshake of this.#handshakes.all()) handshake.abandon('the server is shutting down');
  }

  /** Ends all handshakes and sessions. Sends close_notify to the devices that have a session. */
  shutDown(): void {
    this.suspend();
    this.sessions.endAll();
  }

  /** Ends the sessions with a certificate that is no longer valid. Resolves to the sessions with a failed look-up. */
  async #recheck(sessions: readonly Session[]): Promise<Session[]> {
    const unanswered: Session[] = [];
    for (const session of sessions) {
      if (!this.#isOpen(session)) continue;
      const { identity, proof } = session.parts;
      try {
        if (!(await this.lookUps.stillHolds(proof, identity.credential, 'server'))) this.#revoke(session);
      } catch {
        unanswered.push(session);
      }
    }
    return unanswered;
  }

  /** The session may have ended during the look-up. */
  #revoke(session: Session): void {
    if (this.#isOpen(session)) this.sessions.revoke(session);
  }

  #isOpen(session: Session): boolean {
    return this.sessions.get(session.key) === session;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(ms, resolve));
  }

  /** Unprotected records concern handshakes only; an open session ignores them. */
  #receivePlain(from: Address, record: DtlsRecord): void {
    switch (record.type) {
      case CONTENT.handshake:
        return this.#receiveHandshake(from, record);
      case CONTENT.alert:
        return this.#receiveAlert(from, record);
      case CONTENT.changeCipherSpec:
        // The epoch of the next record carries the same information.
        return;
      default:
        this.#counters.dropped('out_of_place');
    }
  }

  #receiveHandshake(from: Address, record: DtlsRecord): void {
    let fragments: HandshakeFragment[];
    try {
      fragments = parseFragments(record.fragment);
    } catch {
      return this.#counters.dropped('malformed');
    }
    for (const fragment of fragments) {
      const handshake = this.#handshakes.at(from);
      if (fragment.type === HANDSHAKE.clientHello) this.#receiveHello(from, record, fragment);
      else if (handshake === undefined) this.#receiveLate(from, fragment);
      else handshake.receive(fragment);
    }
  }

  /**
   * Accepts one ClientHello per datagram: the address is not verified yet, and each ClientHello, or first fragment of
   * one, causes one datagram in answer.
   */
  #receiveHello(from: Address, record: DtlsRecord, fragment: HandshakeFragment): void {
    if (this.#hasHello && fragment.offset === 0) return this.#counters.dropped('out_of_place');
    this.#hasHello = true;
    const hello = this.#gate.admit(from, record, fragment);
    if (hello !== null) this.#begin(from, hello);
  }

  /**
   * A device that did not receive the server's last flight repeats its own (RFC 6347 §4.2.4). Its Finished may be an old
   * record, which is not accepted again, so the unprotected messages before it count.
   */
  #receiveLate(from: Address, { type }: HandshakeFragment): void {
    const isRepeated = LAST_FLIGHT.has(type) && this.sessions.at(from)?.repeatFinalFlight();
    if (!isRepeated) this.#counters.dropped('out_of_place');
  }

  #receiveAlert(from: Address, record: DtlsRecord): void {
    const handshake = this.#handshakes.at(from);
    const alert = decodeAlert(record.fragment);
    if (handshake === undefined) return this.#counters.dropped('out_of_place');
    if (alert === null) return this.#counters.dropped('malformed');
    this.#counters.alertReceived(alert.description);
    handshake.receiveAlert(alert);
  }

  #begin(from: Address, hello: Hello): void {
    const { random } = hello.hello;
    const underWay = this.#handshakes.at(from);
    if (underWay?.clientRandom.equals(random)) return underWay.helloRepeated();
    // A late copy of the ClientHello that started the open session.
    if (this.sessions.at(from)?.parts.clientRandom.equals(random)) return this.#counters.dropped('replayed');
    underWay?.abandon(`${underWay.whyUnfinished()}; the device started a new handshake`);
    if (!this.#hasRoom()) return;
    let negotiated: Negotiated;
    try {
      negotiated = negotiate(hello.hello, this.#parts.settings);
    } catch (error) {
      return this.#refuse(from, hello, failureOf(error));
    }
    const inTheWay = this.#handshakes.inTheWayOf(from);
    if (inTheWay !== null) this.#counters.dropped('handshakes_full');
    inTheWay?.abandon(`${inTheWay.whyUnfinished()}; it made room for a new handshake`);
    const handshake = new Handshake(this.#context, from, hello, negotiated, this.#newCid());
    this.#handshakes.add(handshake);
    handshake.start();
  }

  #hasRoom(): boolean {
    const { hasRoom } = this.sessions;
    if (!hasRoom) this.#counters.dropped('sessions_full');
    return hasRoom;
  }

  #refuse(from: Address, hello: Hello, failure: HandshakeFailure & { readonly alert: AlertDescription }): void {
    this.#sendPlainAlert(from, hello.recordSequence, failure.alert);
    this.#counters.handshake(null, 'failed');
    this.#parts.events.handshakeEnded(refusalReport(from, this.#parts.clock.now(), failure));
  }

  #receiveProtected(from: Address, record: DtlsRecord): void {
    const cid = record.cid?.toString('hex') ?? null;
    const session = cid === null ? this.sessions.at(from) : this.sessions.get(cid);
    const failure = session === undefined ? 'unknown_session' : this.sessions.receive(session, from, record);
    if (failure === null) return;
    // A record that the session at this address rejects may be the Finished of the handshake that will replace it,
    // which
    // restarts the sequence numbers.
    const handshake = cid === null ? this.#handshakes.at(from) : this.#handshakes.withCid(cid);
    if (handshake !== undefined && isSameAddress(handshake.address, from)) {
      const refused = handshake.receiveProtected(record);
      if (refused !== null) this.#counters.dropped(refused);
      return;
    }
    this.#counters.dropped(failure);
    if (session === undefined) this.#alertUnknownSession(from, record);
    else if (failure === 'forged') this.sessions.countForgery(session);
  }

  /**
   * Sends an alert, so that the device notices at once that its session is lost, for example after a restart. The alert
   * is not longer than the record.
   */
  #alertUnknownSession(from: Address, record: DtlsRecord): void {
    if (record.fragment.length < SHORTEST_PROTECTED || !this.#unknownSessionAlerts.take()) return;
    this.#sendPlainAlert(from, 0, 'bad_record_mac');
  }

  #sendPlainAlert(to: Address, sequence: number, description: AlertDescription): void {
    const header = { type: CONTENT.alert, epoch: 0, sequence, cid: null };
    this.#parts.events.transmit(to, encodeRecord(header, encodeAlert('fatal', description)));
    this.#counters.alertSent(description);
  }

  #established(handshake: Handshake, established: Established): void {
    const { address, key, clientRandom, negotiated } = handshake;
    const { channel, identity, proof, finalFlight, resumable, resumed } = established;
    const now = this.#parts.clock.now();
    this.#handshakes.remove(handshake);
    const parts = {
      key,
      suite: negotiated.suite,
      encryptThenMac: negotiated.encryptThenMac,
      channel,
      identity,
      proof,
      sessionId: resumable?.sessionId ?? null,
      clientRandom: lasting(clientRandom),
      maxFragment: handshake.maxFragment,
    };
    const session = new Session(parts, address, now, finalFlight);
    this.#parts.events.arrived(session.peer, resumed?.sessionKey ?? null);
    this.#endReplaced(handshake, established);
    this.sessions.open(session);
    if (resumable !== null) this.resumables.keep(resumable);
    this.#counters.handshake(negotiated.suite.name, resumed === null ? 'full' : 'resumed');
    this.#parts.events.handshakeEnded(reportOf(handshake, now, { established: true }));
  }

  /** Ends the sessions that the new session replaces: the one at its address, and the one that it resumes. */
  #endReplaced(handshake: Handshake, { identity, resumed }: Established): void {
    const there = this.sessions.at(handshake.address);
    // A session with a Connection ID may be in use from another address by now, and this address may belong to another
    // device.
    if (there !== undefined && (!there.usesCid || there.peer.security.credential === identity.credential)) {
      this.sessions.end(there, 'replaced');
    }
    const former = resumed === null ? undefined : this.sessions.get(resumed.sessionKey);
    if (former !== undefined) this.sessions.end(former, 'replaced');
  }

  #failed(handshake: Handshake, failure: HandshakeFailure): void {
    this.#handshakes.remove(handshake);
    if (failure.alert !== null) this.#counters.alertSent(failure.alert);
    this.#counters.handshake(handshake.negotiated.suite.name, 'failed');
    const outcome = { established: false, ...failure } as const;
    this.#parts.events.handshakeEnded(reportOf(handshake, this.#parts.clock.now(), outcome));
  }

  #newCid(): Buffer {
    const cid = this.#parts.random(CID_LENGTH);
    cid.writeUInt8(this.#parts.settings.workerId, 0);
    return cid;
  }
}
