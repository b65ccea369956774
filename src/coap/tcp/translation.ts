import { decode, encode, encodeEmpty } from '../message.ts';
import { optionNumbers, uintOption } from '../option.ts';
import type { Frame } from './frame.ts';

const HEADER_BYTES = 4;
const CON = 0;

/**
 * Translates between the frames of one connection and the datagrams of the message layer. A stream neither loses nor
 * duplicates messages, so RFC 8323 has no types and message IDs. Incoming messages become confirmable with a new
 * message ID. An outgoing confirmable message counts as acknowledged when it is sent. Acknowledgements and Resets are
 * not sent.
 */
export class Translation {
  #nextMessageId = 0;
  /** RFC 8323 §7.1: notifications are ordered by the stream, not by the values of their Observe options. */
  #notifications = 0;

  /** Makes the datagram for a received frame. */
  inward({ code, token, rest }: Frame): Uint8Array {
    const messageId = this.#nextMessageId;
    this.#nextMessageId = (messageId + 1) & 0xffff;
    const header = Buffer.of(0x40 | (CON << 4) | token.length, code, messageId >> 8, messageId & 0xff);
    const datagram = Buffer.concat([header, token, rest]);
    return code >> 5 === 2 ? this.#renumbered(datagram) : datagram;
  }

  /** Makes the frame to send for a datagram, and the acknowledgement that the message layer receives for it. */
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
