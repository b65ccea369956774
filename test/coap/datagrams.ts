import { encode, encodeEmpty, type Message, type MessageType } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { seededRandom } from './network.ts';

const TYPES: readonly MessageType[] = ['CON', 'NON', 'ACK', 'RST'];
const PATHS = [['rd'], ['rd', 'x1'], ['dp'], ['bs'], ['.well-known', 'core'], []] as const;

/**
 * Generates datagrams for a CoAP port, the same ones for the same seed: a third are random bytes, a third are valid
 * requests and responses (Registers, blocks, notifications), a third are those with bytes changed, removed or inserted.
 */
export function* datagrams(count: number, seed: number): Generator<Uint8Array> {
  const random = seededRandom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => below(256));
  for (let index = 0; index < count; index++) {
    const kind = below(3);
    if (kind === 0) yield bytes(random() < 0.9 ? below(64) : below(1400));
    else yield kind === 1 ? message() : mutated(message());
  }

  function message(): Uint8Array {
    if (random() < 0.05) return encodeEmpty(random() < 0.5 ? 'ACK' : 'RST', below(0x1_0000));
    const chosen = random();
    return encode(chosen < 0.4 ? request() : chosen < 0.6 ? block() : chosen < 0.8 ? response() : anything());
  }

  function request(): Message {
    const path = PATHS[below(PATHS.length)] ?? [];
    const options = path.map((segment) => stringOption(optionNumbers.uriPath, segment));
    options.push(stringOption(optionNumbers.uriQuery, `ep=flood-${below(100)}`));
    options.push(stringOption(optionNumbers.uriQuery, `lt=${below(100_000)}`));
    if (random() < 0.5) options.push(uintOption(optionNumbers.contentFormat, below(12_000)));
    if (random() < 0.2) options.push(uintOption(optionNumbers.observe, below(3)));
    const payload = random() < 0.5 ? Buffer.from('</3/0>,</1/0>,</3303/0>') : bytes(below(80));
    return { ...header('CON', 'NON'), code: 1 + below(7), options, payload };
  }

  /** A block of a body; some announce a large size. */
  function block(): Message {
    const size = below(8);
    const number = random() < 0.7 ? below(4) : below(0x10_0000);
    const value = (number << 4) | (random() < 0.7 ? 8 : 0) | size;
    const options = [
      stringOption(optionNumbers.uriPath, 'rd'),
      uintOption(random() < 0.7 ? optionNumbers.block1 : optionNumbers.block2, value >>> 0),
    ];
    if (random() < 0.3) options.push(uintOption(optionNumbers.size1, below(0x7fff_ffff)));
    const payload = bytes(random() < 0.7 ? Math.min(1024, 16 << size) : below(64));
    return { ...header('CON', 'NON'), code: 2, options, payload };
  }

  function response(): Message {
    const options = [uintOption(optionNumbers.observe, below(0x100_0000)), uintOption(optionNumbers.maxAge, below(99))];
    return {
      ...header('CON', 'NON', 'ACK'),
      code: [0x45, 0x84, 0xa0, 0x5f][below(4)] ?? 0,
      options,
      payload: bytes(8),
    };
  }

  function anything(): Message {
    const options = Array.from({ length: below(6) }, () => ({ number: 1 + below(400), value: bytes(below(20)) }));
    return { ...header(...TYPES), code: 1 + below(255), options, payload: bytes(below(30)) };
  }

  function header(...types: readonly MessageType[]): Pick<Message, 'type' | 'messageId' | 'token'> {
    return { type: types[below(types.length)] ?? 'CON', messageId: below(0x1_0000), token: bytes(below(9)) };
  }

  function mutated(datagram: Uint8Array): Uint8Array {
    const changed = datagram.slice();
    for (let changes = 1 + below(4); changes > 0; changes--) changed[below(changed.length)] = below(256);
    if (random() < 0.3) return changed.subarray(0, below(changed.length + 1));
    if (random() < 0.1) return Buffer.concat([changed, bytes(below(600))]);
    return changed;
  }
}
