import type { Clock } from '../clock.ts';
import { type Address, isSameAddress } from './address.ts';
import { type AlertDescription, type AlertLevel, decodeAlert, encodeAlert } from './alert.ts';
import type { OpenFailure } from './channel.ts';
import { HANDSHAKE, parseFragments } from './messages.ts';
import type { Counters, EndReason } from './metrics.ts';
import { CONTENT, type DtlsRecord } from './record.ts';
import type { Resumables } from './resumption.ts';
import type { Peer, Session } from './session.ts';
import { SessionTable } from './session-table.ts';
import type { DtlsLimits } from './settings.ts';

/** Forged records in one session before an alarm. RFC 9147 §4.5.3 limits CCM with a tag of 8 bytes to 2^7 forgeries. */
const ALARMING_FORGERIES = 128;

export interface SessionEvents {
  transmit(to: Address, datagram: Buffer): void;
  received(peer: Peer, data: Buffer): void;
  /**
   * A session opens, or an open session has a new address. `formerKey` is the key of the session that it resumes, the
   * session's own key for a new address, or null after a full handshake. Called before the session that is replaced
   * ends; nothing can be sent in the new session until it returns.
   */
  arrived(peer: Peer, formerKey: string | null): void;
  ended(peer: Peer, reason: EndReason): void;
  /** Many forged records of this session were rejected. The session stays open. */
  alarmed(peer: Peer, forgeries: number): void;
}

/** Handles open sessions: their records, alerts, limits and end. */
export class OpenSessions {
  readonly #table = new SessionTable();
  readonly #clock: Clock;
  readonly #limits: DtlsLimits;
  readonly #events: SessionEvents;
  readonly #resumables: Resumables;
  readonly #counters: Counters;

  constructor(parts: {
    readonly clock: Clock;
    readonly limits: DtlsLimits;
    readonly events: SessionEvents;
    readonly resumables: Resumables;
    readonly counters: Counters;
  }) {
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#events = parts.events;
    this.#resumables = parts.resumables;
    this.#counters = parts.counters;
  }

  get size(): number {
    return this.#table.size;
  }

  get(key: string): Session | undefined {
    return this.#table.get(key);
  }

  at(address: Address): Session | undefined {
    return this.#table.at(address);
  }

  all(): IterableIterator<Session> {
    return this.#table.all();
  }

  /** Whether another session can be opened: the limit is not reached, or the longest idle session may be evicted. */
  get hasRoom(): boolean {
    if (this.size < this.#limits.sessions) return true;
    const oldest = this.#table.leastRecentlyActive();
    return oldest === undefined || this.#clock.now() - oldest.activeAt >= this.#limits.evictAfterIdleMs;
  }

  /** Opens a session. At a limit, it evicts the longest idle session of the credential or of all. */
  open(session: Session): void {
    const siblings = this.#table.of(session.parts.identity.credential);
    if (siblings.length >= this.#limits.sessionsPerCredential) this.#evict(leastRecentlyActive(siblings));
    if (this.size >= this.#limits.sessions) this.#evict(this.#table.leastRecentlyActive());
    this.#table.add(session);
  }

  has(key: string): boolean {
    return this.#table.get(key) !== undefined;
  }

  /** Sends one message in the session with this key, or drops it. */
  send(key: string, data: Buffer): void {
    const session = this.#table.get(key);
    if (session === undefined || data.length > session.longestMessage) return this.#counters.dropped('unsendable');
    if (this.#seal(session, CONTENT.applicationData, data)) this.#counters.messagesSent++;
  }

  /** Returns null when the record is authentic. */
  receive(session: Session, from: Address, record: DtlsRecord): OpenFailure | null {
    const opened = session.channel.open(record);
    if (typeof opened === 'string') return opened;
    this.#table.touch(session, this.#clock.now());
    if (opened.newest) this.#follow(session, from, record.fragment.length);
    switch (opened.type) {
      case CONTENT.applicationData:
        session.forgetFinalFlight();
        this.#counters.messagesReceived++;
        this.#events.received(session.peer, opened.content);
        break;
      case CONTENT.alert:
        this.#receiveAlert(session, opened.content);
        break;
      case CONTENT.handshake:
        this.#receiveHandshake(session, opened.content);
        break;
      default:
        this.#counters.dropped('out_of_place');
    }
    return null;
  }

  /**
   * A forged record does not end the session (RFC 6347 §4.1.2.7), but many of them raise an alarm: they indicate an
   * attack.
   */
  countForgery(session: Session): void {
    session.forgeries++;
    if (session.forgeries === ALARMING_FORGERIES) this.#events.alarmed(session.peer, session.forgeries);
  }

  /** Ends a session without an alert. */
  end(session: Session, reason: EndReason): void {
    this.#table.remove(session);
    this.#counters.ended(reason);
    this.#events.ended(session.peer, reason);
  }

  /** Ends all sessions of the credential and makes them not resumable. */
  endOf(credential: string): void {
    this.#resumables.forgetCredential(credential);
    // A copy, because the end of a session removes it from the list.
    for (const session of this.#table.of(credential).slice()) this.revoke(session);
  }

  /** Sends a fatal access_denied and ends the session. */
  revoke(session: Session): void {
    this.#sendAlert(session, 'fatal', 'access_denied');
    this.end(session, 'revoked');
  }

  endAll(): void {
    for (const session of this.all()) {
      this.#sendAlert(session, 'warning', 'close_notify');
      this.end(session, 'shut_down');
    }
  }

  #evict(session: Session | undefined): void {
    if (session === undefined) return;
    this.#sendAlert(session, 'warning', 'close_notify');
    this.end(session, 'evicted');
  }

  /** RFC 9146 §6: only an authentic record that is newer than all earlier ones changes the peer's address. */
  #follow(session: Session, from: Address, bytes: number): void {
    if (!isSameAddress(session.path.address, from)) {
      this.#table.move(session, from);
      this.#counters.addressChanges++;
      this.#events.arrived(session.peer, session.key);
    }
    session.path.received(bytes);
  }

  #receiveAlert(session: Session, content: Buffer): void {
    const alert = decodeAlert(content);
    if (alert === null) return this.#counters.dropped('malformed');
    this.#counters.alertReceived(alert.description);
    if (alert.description === 'close_notify') {
      this.#sendAlert(session, 'warning', 'close_notify');
      this.end(session, 'closed');
    } else if (alert.level === 'fatal') {
      // RFC 5246 §7.2: a session that ended in a fatal alert must not be resumed.
      if (session.parts.sessionId !== null) this.#resumables.forget(session.parts.sessionId);
      this.end(session, 'alert');
    }
  }

  #receiveHandshake(session: Session, content: Buffer): void {
    const type = firstMessageType(content);
    if (type === HANDSHAKE.finished) session.repeatFinalFlight();
    // RFC 5746 §4.5: the server refuses renegotiation with a warning.
    else if (type === HANDSHAKE.clientHello) this.#sendAlert(session, 'warning', 'no_renegotiation');
    else this.#counters.dropped('out_of_place');
  }

  #sendAlert(session: Session, level: AlertLevel, description: AlertDescription): void {
    if (this.#seal(session, CONTENT.alert, encodeAlert(level, description))) this.#counters.alertSent(description);
  }

  #seal(session: Session, type: number, content: Buffer): boolean {
    const record = session.channel.seal(type, content);
    if (record === null) {
      this.end(session, 'exhausted');
      return false;
    }
    if (!session.path.maySend(record.length)) {
      this.#counters.dropped('unproven_address');
      return false;
    }
    this.#events.transmit(session.path.address, record);
    return true;
  }
}

/** Returns the first one when several are equal. */
function leastRecentlyActive(sessions: readonly Session[]): Session | undefined {
  let [least] = sessions;
  for (const session of sessions) if (least !== undefined && session.activeAt < least.activeAt) least = session;
  return least;
}

function firstMessageType(content: Buffer): number | null {
  try {
    return parseFragments(content)[0]?.type ?? null;
  } catch {
    return null;
  }
}
