import type { Clock } from '../clock.ts';
import { type Address, isSameAddress } from './address.ts';
import { type AlertDescription, type AlertLevel, decodeAlert, encodeAlert } from './alert.ts';
import type { OpenedRecord } from './channel.ts';
import { Cookies } from './cookie.ts';
import type { Credentials } from './credentials.ts';
import { DtlsError } from './error.ts';
import { type Claim, type Established, Handshake, type HandshakeContext, type HandshakeFailure } from './handshake.ts';
import { HandshakeTable } from './handshake-table.ts';
import { LookUps } from './look-ups.ts';
import {
  type ClientHello,
  encodeFragment,
  encodeHelloVerifyRequest,
  encodeMessage,
  HANDSHAKE,
  type HandshakeFragment,
  isWhole,
  messageBody,
  parseClientHello,
  parseFragments,
} from './messages.ts';
import { Counters, type DropReason, type DtlsMetrics, type EndReason } from './metrics.ts';
import { negotiate, type Negotiated } from './negotiation.ts';
import type { Random } from './random.ts';
import {
  CID_LENGTH,
  CONTENT,
  type DtlsRecord,
  encodeRecord,
  MAX_PLAINTEXT,
  parseRecords,
  VERSION_DTLS10,
} from './record.ts';
import { Resumables } from './resumption.ts';
import { type Peer, Session } from './session.ts';
import { SessionTable } from './session-table.ts';
import type { DtlsSettings } from './settings.ts';
import { TokenBucket } from './token-bucket.ts';

/** RFC 9147 §4.5.3 counts 2^7 forgeries as what CCM with a tag of 8 bytes can bear without a thought. */
const ALARMING_FORGERIES = 128;
/** Alerts a second to whoever sends records of sessions that are gone. */
const UNKNOWN_SESSION_ALERTS = 50;

/** One handshake that ended, for the log that a tenant's admin reads. */
export interface HandshakeReport {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly from: Address;
  readonly suite: string | null;
  readonly resumed: boolean;
  /** Who the device said it is; null when it didn't come that far. Proved only with `established`. */
  readonly claim: Claim | null;
  /** The credential on file for the claim; null while none is found. */
  readonly credential: string | null;
  readonly outcome: { readonly established: true } | ({ readonly established: false } & HandshakeFailure);
}

/** Everything that comes out of the engine. None of these may throw; all may call `send`. */
export interface EngineEvents {
  transmit(to: Address, datagram: Buffer): void;
  received(peer: Peer, data: Buffer): void;
  ended(peer: Peer, reason: EndReason): void;
  handshakeEnded(report: HandshakeReport): void;
  /** Someone keeps forging records of this session; it goes on. */
  alarmed(peer: Peer, forgeries: number): void;
}

export interface EngineParts {
  readonly settings: DtlsSettings;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EngineEvents;
}

/** A DTLS 1.2 server without a socket: datagrams in, datagrams and events out. */
export class Engine {
  readonly sessions = new SessionTable();
  readonly resumables: Resumables;
  readonly lookUps: LookUps;
  readonly #parts: EngineParts;
  readonly #handshakes: HandshakeTable;
  readonly #cookies: Cookies;
  readonly #counters = new Counters();
  readonly #strangers: TokenBucket;
  readonly #context: HandshakeContext;

  constructor(parts: EngineParts) {
    const { settings, credentials, clock, random, events } = parts;
    this.#parts = parts;
    this.lookUps = new LookUps(credentials, clock, settings.limits);
    this.resumables = new Resumables(clock, settings.limits);
    this.#handshakes = new HandshakeTable(settings.limits);
    this.#cookies = new Cookies(clock, random);
    this.#strangers = new TokenBucket(clock, UNKNOWN_SESSION_ALERTS);
    this.#context = {
      settings,
      clock,
      random,
      lookUps: this.lookUps,
      resumables: this.resumables,
      transmit: (to, datagram) => events.transmit(to, datagram),
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

  /** Never throws; keeps nothing of `datagram`. */
  receive(from: Address, datagram: Buffer): void {
    this.#counters.datagramsReceived++;
    const records = parseRecords(datagram);
    if (records.length === 0) this.#counters.dropped('malformed');
    for (const record of records) {
      if (record.epoch === 0 && record.cid === null) this.#receivePlain(from, record);
      else if (record.epoch === 1) this.#receiveProtected(from, record);
      else this.#counters.dropped('wrong_epoch');
    }
  }

  /** Sends one message in the session of that key or loses it. */
  send(key: string, data: Buffer): void {
    const session = this.sessions.get(key);
    if (session === undefined || data.length > MAX_PLAINTEXT) return this.#counters.dropped('unsendable');
    if (this.#sendIn(session, CONTENT.applicationData, data)) this.#counters.messagesSent++;
  }

  /** Ends all sessions that the credential opened, and lets none be resumed. */
  endSessions(credential: string): void {
    this.resumables.forgetCredential(credential);
    for (const session of this.sessions.all()) {
      if (session.peer.security.credential !== credential) continue;
      this.#sendAlert(session, 'fatal', 'access_denied');
      this.#end(session, 'revoked');
    }
  }

  /** Ends everything; with `quietly` the devices aren't told, as their sessions will go on elsewhere. */
  shutDown(quietly: boolean): void {
    for (const handshake of this.#handshakes.all()) handshake.abandon('the server shuts down');
    for (const session of this.sessions.all()) {
      if (!quietly) this.#sendAlert(session, 'warning', 'close_notify');
      this.#end(session, 'shut_down');
    }
  }

  #receivePlain(from: Address, record: DtlsRecord): void {
    const handshake = this.#handshakes.at(from);
    if (record.type === CONTENT.handshake) {
      const fragments = parsed(() => parseFragments(record.fragment));
      if (fragments === null) return this.#counters.dropped('malformed');
      for (const fragment of fragments) {
        if (fragment.type === HANDSHAKE.clientHello) this.#receiveHello(from, record, fragment);
        else if (handshake === undefined) this.#counters.dropped('out_of_place');
        else handshake.receive(fragment);
      }
    } else if (record.type === CONTENT.alert && handshake !== undefined) {
      const alert = decodeAlert(record.fragment);
      if (alert === null) return this.#counters.dropped('malformed');
      this.#counters.alertReceived(alert.description);
      handshake.receiveAlert(alert);
    } else if (record.type !== CONTENT.changeCipherSpec) {
      // An open session listens to nothing unprotected. A ChangeCipherSpec says no more than the next epoch does.
      this.#counters.dropped('out_of_place');
    }
  }

  #receiveHello(from: Address, record: DtlsRecord, fragment: HandshakeFragment): void {
    if (!isWhole(fragment)) return this.#counters.dropped('fragmented_hello');
    const hello = parsed(() => parseClientHello(fragment.body));
    if (hello === null) return this.#counters.dropped('malformed');
    if (this.#cookies.accepts(from, hello)) {
      this.#counters.cookiesAccepted++;
      this.#begin(from, record, fragment, hello);
      return;
    }
    if (hello.cookie.length > 0) this.#counters.cookiesRefused++;
    this.#counters.cookiesSent++;
    // RFC 6347 §4.2.1: version 1.0 whatever comes, the ClientHello's own sequence number, and no memory of it.
    const body = encodeHelloVerifyRequest(VERSION_DTLS10, this.#cookies.make(from, hello));
    const message = encodeMessage(HANDSHAKE.helloVerifyRequest, 0, body);
    const header = { type: CONTENT.handshake, epoch: 0, sequence: record.sequence, cid: null };
    this.#parts.events.transmit(from, encodeRecord(header, message, VERSION_DTLS10));
  }

  #begin(from: Address, record: DtlsRecord, fragment: HandshakeFragment, hello: ClientHello): void {
    const underWay = this.#handshakes.at(from);
    if (underWay?.clientRandom.equals(hello.random)) return underWay.helloRepeated();
    // A late copy of the ClientHello that the open session began with.
    if (this.sessions.at(from)?.parts.clientRandom.equals(hello.random)) return this.#counters.dropped('replayed');
    underWay?.abandon(`${underWay.whyUnfinished()}; it began again`);
    if (!this.#handshakes.hasRoomFor(from)) return this.#counters.dropped('handshakes_full');
    if (!this.#hasRoomForSession()) return this.#counters.dropped('sessions_full');
    const message = encodeFragment(fragment);
    const copy = parseClientHello(messageBody(message));
    const opening = {
      from,
      message,
      hello: copy,
      messageSequence: fragment.sequence,
      recordSequence: record.sequence,
    };
    let negotiated: Negotiated;
    try {
      negotiated = negotiate(copy, this.#parts.settings);
    } catch (error) {
      return this.#refuse(from, record, error);
    }
    const handshake = new Handshake(this.#context, opening, negotiated, this.#newCid());
    this.#handshakes.add(handshake);
    handshake.start();
  }

  /** The device and the server have nothing in common. */
  #refuse(from: Address, record: DtlsRecord, error: unknown): void {
    // negotiate throws nothing but alerts.
    const alert = error instanceof DtlsError ? (error.code as AlertDescription) : 'internal_error';
    const reason = error instanceof Error ? error.message : 'the server failed';
    const header = { type: CONTENT.alert, epoch: 0, sequence: record.sequence, cid: null };
    this.#parts.events.transmit(from, encodeRecord(header, encodeAlert('fatal', alert)));
    this.#counters.alertSent(alert);
    this.#counters.handshake(null, 'failed');
    this.#parts.events.handshakeEnded({
      at: this.#parts.clock.now(),
      durationMs: 0,
      from,
      suite: null,
      resumed: false,
      claim: null,
      credential: null,
      outcome: { established: false, alert, reason },
    });
  }

  #receiveProtected(from: Address, record: DtlsRecord): void {
    const cid = record.cid?.toString('hex') ?? null;
    const session = cid === null ? this.sessions.at(from) : this.sessions.get(cid);
    let failure: DropReason = 'unknown_session';
    if (session !== undefined) {
      const opened = session.channel.open(record);
      if (typeof opened !== 'string') return this.#receiveIn(session, from, record, opened);
      failure = opened;
    }
    // What an old session at this address can't read may be the Finished of the handshake that is to replace it.
    const handshake = cid === null ? this.#handshakes.at(from) : this.#handshakes.withCid(cid);
    if (failure !== 'replayed' && handshake !== undefined && isSameAddress(handshake.address, from)) {
      const refused = handshake.receiveProtected(record);
      if (refused === null) return;
      failure = refused;
    } else if (session !== undefined && failure === 'forged') {
      session.forgeries++;
      if (session.forgeries === ALARMING_FORGERIES) this.#parts.events.alarmed(session.peer, session.forgeries);
    }
    this.#counters.dropped(failure);
    if (failure === 'unknown_session') this.#tellStranger(from, record);
  }

  /** A session that a restart lost: the device had better know it at once. Our answer is shorter than what it answers. */
  #tellStranger(from: Address, record: DtlsRecord): void {
    if (record.fragment.length < 16 || !this.#strangers.take()) return;
    const header = { type: CONTENT.alert, epoch: 0, sequence: 0, cid: null };
    this.#parts.events.transmit(from, encodeRecord(header, encodeAlert('fatal', 'bad_record_mac')));
    this.#counters.alertSent('bad_record_mac');
  }

  #receiveIn(session: Session, from: Address, record: DtlsRecord, opened: OpenedRecord): void {
    this.sessions.touch(session, this.#parts.clock.now());
    if (opened.newest) {
      // RFC 9146 §6: only an authentic record that is newer than any before moves the peer.
      if (!isSameAddress(session.path.address, from)) {
        this.sessions.move(session, from);
        this.#counters.addressChanges++;
      }
      session.path.received(record.fragment.length);
    }
    switch (opened.type) {
      case CONTENT.applicationData:
        session.forgetFinalFlight();
        this.#counters.messagesReceived++;
        return this.#parts.events.received(session.peer, opened.content);
      case CONTENT.alert:
        return this.#receiveAlert(session, opened.content);
      case CONTENT.handshake:
        return this.#receiveLateHandshake(session, opened.content);
      default:
        this.#counters.dropped('out_of_place');
    }
  }

  #receiveAlert(session: Session, content: Buffer): void {
    const alert = decodeAlert(content);
    if (alert === null) return this.#counters.dropped('malformed');
    this.#counters.alertReceived(alert.description);
    if (alert.description === 'close_notify') {
      this.#sendAlert(session, 'warning', 'close_notify');
      this.#end(session, 'closed');
    } else if (alert.level === 'fatal') {
      // RFC 5246 §7.2: a session that ended in a fatal alert must not be resumed.
      if (session.parts.sessionId !== null) this.resumables.forget(session.parts.sessionId);
      this.#end(session, 'alert');
    }
  }

  #receiveLateHandshake(session: Session, content: Buffer): void {
    const [fragment] = parsed(() => parseFragments(content)) ?? [];
    if (fragment?.type === HANDSHAKE.finished) session.repeatFinalFlight();
    // RFC 5746 §4.5: renegotiation is refused with a warning.
    else if (fragment?.type === HANDSHAKE.clientHello) this.#sendAlert(session, 'warning', 'no_renegotiation');
    else this.#counters.dropped('out_of_place');
  }

  #established(handshake: Handshake, established: Established): void {
    const { address, cid, clientRandom, negotiated } = handshake;
    const { channel, identity, proof, finalFlight, resumable, resumed } = established;
    this.#handshakes.remove(handshake);
    this.#endReplaced(handshake, established);
    this.#makeRoom();
    const session = new Session(
      {
        key: cid.toString('hex'),
        suite: negotiated.suite,
        encryptThenMac: negotiated.encryptThenMac,
        channel,
        identity,
        proof,
        sessionId: resumable?.sessionId ?? null,
        clientRandom,
        finalFlight,
      },
      address,
      this.#parts.clock.now(),
    );
    this.sessions.add(session);
    if (resumable !== null) this.resumables.keep({ ...resumable, sessionKey: session.key });
    this.#counters.handshake(negotiated.suite.name, resumed === null ? 'full' : 'resumed');
    this.#report(handshake, { established: true });
  }

  #failed(handshake: Handshake, failure: HandshakeFailure): void {
    this.#handshakes.remove(handshake);
    if (failure.alert !== null) this.#counters.alertSent(failure.alert);
    this.#counters.handshake(handshake.negotiated.suite.name, 'failed');
    this.#report(handshake, { established: false, ...failure });
  }

  /** The session that a new one takes the place of. One with a Connection ID lives elsewhere when another device has its address now. */
  #endReplaced(handshake: Handshake, { identity, resumed }: Established): void {
    const there = this.sessions.at(handshake.address);
    if (there !== undefined && (!there.usesCid || there.peer.security.credential === identity.credential)) {
      this.#end(there, 'replaced');
    }
    const former = resumed === null ? undefined : this.sessions.get(resumed.sessionKey);
    if (former !== undefined) this.#end(former, 'replaced');
  }

  #report(handshake: Handshake, outcome: HandshakeReport['outcome']): void {
    const at = this.#parts.clock.now();
    this.#parts.events.handshakeEnded({
      at,
      durationMs: at - handshake.startedAt,
      from: handshake.address,
      suite: handshake.negotiated.suite.name,
      resumed: handshake.isResumption,
      claim: handshake.claim,
      credential: handshake.credential,
      outcome,
    });
  }

  #hasRoomForSession(): boolean {
    const { limits } = this.#parts.settings;
    if (this.sessions.size < limits.sessions) return true;
    const oldest = this.sessions.leastRecentlyActive();
    return oldest === undefined || this.#parts.clock.now() - oldest.activeAt >= limits.evictAfterIdleMs;
  }

  #makeRoom(): void {
    const oldest = this.sessions.leastRecentlyActive();
    if (oldest === undefined || this.sessions.size < this.#parts.settings.limits.sessions) return;
    this.#sendAlert(oldest, 'warning', 'close_notify');
    this.#end(oldest, 'evicted');
  }

  #sendAlert(session: Session, level: AlertLevel, description: AlertDescription): void {
    if (this.#sendIn(session, CONTENT.alert, encodeAlert(level, description))) this.#counters.alertSent(description);
  }

  #sendIn(session: Session, type: number, content: Buffer): boolean {
    const record = session.channel.seal(type, content);
    if (record === null) {
      this.#end(session, 'exhausted');
      return false;
    }
    if (!session.path.maySend(record.length)) {
      this.#counters.dropped('unproven_address');
      return false;
    }
    this.#parts.events.transmit(session.path.address, record);
    return true;
  }

  #end(session: Session, reason: EndReason): void {
    this.sessions.remove(session);
    this.#counters.ended(reason);
    this.#parts.events.ended(session.peer, reason);
  }

  #newCid(): Buffer {
    const cid = this.#parts.random(CID_LENGTH);
    cid.writeUInt8(this.#parts.settings.workerId, 0);
    return cid;
  }
}

/** Null when the bytes are not what they should be. */
function parsed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}
