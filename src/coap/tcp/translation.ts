import { decode, encode, encodeEmpty } from '../message.ts';
import { optionNumbers, uintOption } from '../option.ts';
import type { Frame } from './frame.ts';

const HEADER_BYTES = 4;
const CON = 0;

/**
 * One connection's messages as the message layer knows them. A stream loses and repeats nothing, so RFC 8323 has no types
 * and no message ids: what comes in is given a fresh id and is confirmable, what goes out confirmable counts as acknowledged
 * with its departure, and acknowledgements and resets stay here.
 */
export class Translation {
  #nextMessageId = 0;
  /** RFC 8323 §7.1: the stream's order is the order of notifications, whatever their Observe options say. */
  #notifications = 0;

  /** The datagram that the frame would have been. */
  inward({ code, token, rest }: Frame): Uint8Array {
    const messageId = this.#nextMessageId;
    this.#nextMessageId = (messageId + 1) & 0xffff;
    const header = Buffer.of(0x40 | (CON << 4) | token.length, code, messageId >> 8, messageId & 0xff);
    const datagram = Buffer.concat([header, token, rest]);
    return code >> 5 === 2 ? this.#renumbered(datagram) : datagram;
  }

  /** What of a datagram goes out, and what the message layer hears of it at once. */
  outward(datagram: Uint8Array): { readonly frame: Frame | null; readonly echo: Uint8Array | null } {
    const [first = 0, code = 0, high = 0, low = 0] = datagram;
    if (code === 0) return { frame: null, echo: null };
    const body = HEADER_BYTES + (first & 0x0f);
    const frame = { code, token: datagram.subarray(HEADER_BYTES, body), rest: datagram.subarray(body) };
    const type = (first >> 4) & 3;
    return { frame, echo: type === CON ? encodeEmpty('ACK', (high << 8) | low) : null };
  }

  #renumbered(datagram: Buffer): Uint8Array {
    const decoded = decode(datagram);
    if (!decoded.ok) return datagram;
    const { message } = decoded;
    const at = message.options.findIndex(({ number }) => number === optionNumbers.observe);
    if (at < 0) return datagram;
    this.#notifications = (this.#notifications + 1) & 0xff_ffff;
    return encode({
      ...message,
      options: message.options.with(at, uintOption(optionNumbers.observe, this.#notifications)),
    });
  }
}
