import type { OpenFailure } from './channel.ts';

/** Why a record was dropped. */
export type DropReason =
  | OpenFailure
  /** The record has an epoch that the server does not use. */
  | 'wrong_epoch'
  /** A fragment of a ClientHello that is too long, or whose first fragment with a valid cookie did not come before. */
  | 'fragmented_hello'
  /** A handshake message without a handshake, or an unprotected record of a type that must be protected. */
  | 'out_of_place'
  | 'unknown_session'
  /** The oldest handshake of the most crowded network was dropped for a new one. */
  | 'handshakes_full'
  | 'sessions_full'
  /** Outbound: the byte limit of a new address that has not answered yet is reached. */
  | 'unproven_address'
  /** Outbound: the message is too long for a record, or the session does not exist. */
  | 'unsendable';

export type EndReason = 'closed' | 'alert' | 'replaced' | 'evicted' | 'revoked' | 'exhausted' | 'shut_down';

export interface HandshakeCount {
  /** Null when the handshake ended before a suite was chosen. */
  readonly suite: string | null;
  readonly result: 'full' | 'resumed' | 'failed';
  readonly count: number;
}

/** Counters since the start of the server, and current values. */
export interface DtlsMetrics {
  readonly sessions: number;
  readonly resumable: number;
  readonly halfOpen: number;
  readonly lookUps: number;
  readonly handshakes: readonly HandshakeCount[];
  readonly alertsSent: Readonly<Record<string, number>>;
  readonly alertsReceived: Readonly<Record<string, number>>;
  /** The number of dropped records by reason. */
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
