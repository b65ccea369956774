import type { OpenFailure } from './channel.ts';

/** Why a record came to nothing. */
export type DropReason =
  | OpenFailure
  /** An epoch that never comes. */
  | 'wrong_epoch'
  /** A ClientHello in fragments: it would take memory before the cookie. */
  | 'fragmented_hello'
  /** Handshake messages without a handshake, and unprotected records that only a protected one may be. */
  | 'out_of_place'
  | 'unknown_session'
  | 'handshakes_full'
  | 'sessions_full'
  /** Outbound: a new address that has not answered yet has had its share of bytes. */
  | 'unproven_address'
  /** Outbound: longer than a record may be, or for a session that is gone. */
  | 'unsendable';

export type EndReason = 'closed' | 'alert' | 'replaced' | 'evicted' | 'revoked' | 'exhausted' | 'shut_down';

export interface HandshakeCount {
  /** Null when the handshake ended before there was one. */
  readonly suite: string | null;
  readonly result: 'full' | 'resumed' | 'failed';
  readonly count: number;
}

/** Counts since the start, and what is there now. */
export interface DtlsMetrics {
  readonly sessions: number;
  readonly resumable: number;
  readonly halfOpen: number;
  readonly lookUps: number;
  readonly handshakes: readonly HandshakeCount[];
  readonly alertsSent: Readonly<Record<string, number>>;
  readonly alertsReceived: Readonly<Record<string, number>>;
  /** `replayed` and `forged` are the replays and forgeries. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  readonly ended: Readonly<Partial<Record<EndReason, number>>>;
  readonly cookiesSent: number;
  readonly cookiesAccepted: number;
  readonly cookiesRefused: number;
  readonly datagramsReceived: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly addressChanges: number;
}

type Gauges = Pick<DtlsMetrics, 'sessions' | 'resumable' | 'halfOpen' | 'lookUps'>;

export class Counters {
  readonly #handshakes = new Map<string, HandshakeCount>();
  readonly #alertsSent: Record<string, number> = {};
  readonly #alertsReceived: Record<string, number> = {};
  readonly #dropped: Partial<Record<DropReason, number>> = {};
  readonly #ended: Partial<Record<EndReason, number>> = {};
  cookiesSent = 0;
  cookiesAccepted = 0;
  cookiesRefused = 0;
  datagramsReceived = 0;
  messagesReceived = 0;
  messagesSent = 0;
  addressChanges = 0;

  handshake(suite: string | null, result: HandshakeCount['result']): void {
    const key = `${suite} ${result}`;
    const count = (this.#handshakes.get(key)?.count ?? 0) + 1;
    this.#handshakes.set(key, { suite, result, count });
  }

  alertSent(description: string): void {
    this.#alertsSent[description] = (this.#alertsSent[description] ?? 0) + 1;
  }

  alertReceived(description: string | number): void {
    this.#alertsReceived[description] = (this.#alertsReceived[description] ?? 0) + 1;
  }

  dropped(reason: DropReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  ended(reason: EndReason): void {
    this.#ended[reason] = (this.#ended[reason] ?? 0) + 1;
  }

  snapshot(gauges: Gauges): DtlsMetrics {
    return {
      ...gauges,
      handshakes: [...this.#handshakes.values()],
      alertsSent: { ...this.#alertsSent },
      alertsReceived: { ...this.#alertsReceived },
      dropped: { ...this.#dropped },
      ended: { ...this.#ended },
      cookiesSent: this.cookiesSent,
      cookiesAccepted: this.cookiesAccepted,
      cookiesRefused: this.cookiesRefused,
      datagramsReceived: this.datagramsReceived,
      messagesReceived: this.messagesReceived,
      messagesSent: this.messagesSent,
      addressChanges: this.addressChanges,
    };
  }
}
