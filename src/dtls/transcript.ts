import { hash } from 'node:crypto';

import { encodeMessage } from './messages.ts';

/** A handshake without certificates fits into this size. */
const USUAL_LENGTH = 1_024;

/** All handshake messages of both sides from the second ClientHello on. It also numbers the server's messages. */
export class Transcript {
  #bytes: Buffer = Buffer.allocUnsafeSlow(USUAL_LENGTH);
  #length = 0;
  #nextSequence: number;

  /**
   * `nextSequence`: the second ClientHello's sequence number, because the HelloVerifyRequest used the number before it.
   */
  constructor(clientHello: Buffer, nextSequence: number) {
    this.#nextSequence = nextSequence;
    this.addReceived(clientHello);
  }

  /** Returns a view, which does not change when messages are added. */
  get said(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The SHA-256 of all messages. */
  get hash(): Buffer {
    return hash('sha256', this.said, 'buffer');
  }

  /** Adds a whole message of the client with its header. */
  addReceived(message: Buffer): void {
    const length = this.#length + message.length;
    if (length > this.#bytes.length) this.#grow(length);
    message.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** Adds a message of the server and returns it with its header. */
  add(type: number, body: Buffer): Buffer {
    const message = encodeMessage(type, this.#nextSequence++, body);
    this.addReceived(message);
    return message;
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}
