/** What an entry costs besides the bytes of its datagram. */
const ENTRY_BYTES = 512;

/**
 * Holds what the transport reports until the endpoint may answer. Before the stored registrations and observations are
 * restored, each answer would be wrong: a Reset to a notification ends the observation (RFC 7641 §3.6), and the peer of
 * an Update would have to register again.
 */
export class StartGate {
  readonly #most: number;
  /** In the order of arrival; null when the endpoint answers. */
  #held: (() => void)[] | null;
  #bytes = 0;

  /** `most`: bytes. */
  constructor(held: boolean, most: number) {
    this.#held = held ? [] : null;
    this.#most = most;
  }

  get holds(): boolean {
    return this.#held !== null;
  }

  /** Holds a message. False when there is no room: the message is dropped, and the peer retransmits it. */
  holdMessage(length: number, take: () => void): boolean {
    const bytes = length + ENTRY_BYTES;
    if (this.#held === null || this.#bytes + bytes > this.#most) return false;
    this.#bytes += bytes;
    this.#held.push(take);
    return true;
  }

  /** Calls `take` now or, if the gate holds, later. Not limited here: the transport limits sessions and connections. */
  session(take: () => void): void {
    if (this.#held === null) take();
    else this.#held.push(take);
  }

  /** Takes what was held, in the order of arrival, and holds nothing any more. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#bytes = 0;
    for (const take of held) take();
  }
}
