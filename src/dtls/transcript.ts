import { hash } from 'node:crypto';

import { encodeMessage } from './messages.ts';

/** A handshake without certificates fits. */
const USUAL_LENGTH = 1_024;

/** All handshake messages so far, both sides', from the second ClientHello on, and the numbering of ours. */
export class Transcript {
  #bytes: Buffer = Buffer.allocUnsafeSlow(USUAL_LENGTH);
  #length = 0;
  #nextSequence: number;

  /** Our first message takes the sequence number of the ClientHello: the HelloVerifyRequest had the one before. */
  constructor(clientHello: Buffer, nextSequence: number) {
    this.#nextSequence = nextSequence;
    this.addReceived(clientHello);
  }

  /** A view, which stays as it is when more is said. */
  get said(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** SHA-256 of everything said. */
  get hash(): Buffer {
    return hash('sha256', this.said, 'buffer');
  }

  /** A message of the client, with its header, in one piece. */
  addReceived(message: Buffer): void {
    const length = this.#length + message.length;
    if (length > this.#bytes.length) this.#grow(length);
    message.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** A message of ours; returns it with its header. */
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
