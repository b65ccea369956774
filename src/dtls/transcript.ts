import type { FlightPart } from './flight.ts';
import { verifyData } from './key-schedule.ts';
import { encodeMessage, HANDSHAKE } from './messages.ts';

/** All handshake messages so far, both sides', from the second ClientHello on, and the numbering of ours. */
export class Transcript {
  readonly #messages: Buffer[];
  #nextSequence: number;

  /** Our first message takes the sequence number of the ClientHello: the HelloVerifyRequest had the one before. */
  constructor(clientHello: Buffer, nextSequence: number) {
    this.#messages = [clientHello];
    this.#nextSequence = nextSequence;
  }

  get messages(): readonly Buffer[] {
    return this.#messages;
  }

  /** A message of the client, with its header, in one piece. */
  addReceived(message: Buffer): void {
    this.#messages.push(message);
  }

  /** A message of ours, ready to be sent. */
  add(type: number, body: Buffer): FlightPart {
    const sequence = this.#nextSequence++;
    this.#messages.push(encodeMessage(type, sequence, body));
    return { kind: 'handshake', type, sequence, body };
  }

  /** Our Finished over everything before it. */
  addFinished(master: Buffer): FlightPart {
    const body = verifyData(master, 'server', this.#messages);
    const message = encodeMessage(HANDSHAKE.finished, this.#nextSequence++, body);
    this.#messages.push(message);
    return { kind: 'finished', message };
  }
}
