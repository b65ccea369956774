import { generate, parse } from 'coap-packet';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoapError } from '../../src/coap/error.ts';
import { decode, encode, encodeEmpty, NO_BYTES, type Message, type MessageType } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { decoded } from './network.ts';

const hex = (bytes: string): Uint8Array => Uint8Array.from(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
const bytes = (view: Uint8Array): number[] => [...view];
const plain = (message: Message): unknown => ({
  ...message,
  token: bytes(message.token),
  options: message.options.map(({ number, value }) => [number, bytes(value)]),
  payload: bytes(message.payload),
});

const arbitraryMessage = fc.record({
  type: fc.constantFrom<MessageType>('CON', 'NON', 'ACK', 'RST'),
  // RFC 7252 §4.1: a message with code 0.00 has nothing after the message ID.
  code: fc.integer({ min: 1, max: 255 }),
  messageId: fc.integer({ min: 0, max: 0xffff }),
  token: fc.uint8Array({ maxLength: 8 }),
  options: fc
    .array(fc.record({ number: fc.integer({ min: 1, max: 0xffff }), value: fc.uint8Array({ maxLength: 400 }) }), {
      maxLength: 12,
    })
    .map((options) => options.sort((a, b) => a.number - b.number)),
  payload: fc.uint8Array({ maxLength: 1200 }),
});

describe('the message codec', () => {
  const register: Message = {
    type: 'CON',
    code: 0x02,
    messageId: 0x7d34,
    token: hex('0102'),
    options: [
      stringOption(optionNumbers.uriPath, 'rd'),
      uintOption(optionNumbers.contentFormat, 40),
      stringOption(optionNumbers.uriQuery, 'ep=dev1'),
    ],
    payload: Buffer.from('</3/0>'),
  };

  const vectors: readonly (readonly [name: string, hex: string, message: Message])[] = [
    // RFC 7252 Appendix A, figure 16.
    [
      'GET /temperature',
      '40017d34bb74656d7065726174757265',
      {
        type: 'CON',
        code: 0x01,
        messageId: 0x7d34,
        token: NO_BYTES,
        options: [stringOption(optionNumbers.uriPath, 'temperature')],
        payload: NO_BYTES,
      },
    ],
    [
      '2.05 "22.3 C"',
      '60457d34ff32322e332043',
      {
        type: 'ACK',
        code: 0x45,
        messageId: 0x7d34,
        token: NO_BYTES,
        options: [],
        payload: Buffer.from('22.3 C'),
      },
    ],
    ['a Register', '42027d340102b27264112837' + Buffer.from('ep=dev1').toString('hex') + 'ff3c2f332f303e', register],
    [
      'extended deltas and lengths of one and two bytes',
      `50010001dd2f00${'61'.repeat(13)}e000bb`,
      {
        type: 'NON',
        code: 0x01,
        messageId: 1,
        token: NO_BYTES,
        options: [
          { number: optionNumbers.size1, value: new Uint8Array(13).fill(0x61) },
          { number: 516, value: NO_BYTES },
        ],
        payload: NO_BYTES,
      },
    ],
  ];

  it.each(vectors)('reads and writes %s', (_name, datagram, message) => {
    expect(plain(decoded(hex(datagram)))).toEqual(plain(message));
    expect(Buffer.from(encode(message)).toString('hex')).toBe(datagram);
  });

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        expect(plain(decoded(encode(message)))).toEqual(plain(message));
      }),
    );
  });

  it('reads what coap-packet writes, and writes what coap-packet reads', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const flags = {
          confirmable: message.type === 'CON',
          ack: message.type === 'ACK',
          reset: message.type === 'RST',
        };
        const code = `${message.code >> 5}.${String(message.code & 31).padStart(2, '0')}`;
        const oracle = generate(
          {
            ...flags,
            code,
            messageId: message.messageId,
            token: Buffer.from(message.token),
            options: message.options.map(({ number, value }) => ({ name: number, value: Buffer.from(value) })),
            payload: Buffer.from(message.payload),
          },
          100_000,
        );
        expect(plain(decoded(oracle))).toEqual(plain(message));
        const ours = encode(message);
        expect(Buffer.compare(ours, oracle)).toBe(0);
        const read = parse(Buffer.from(ours));
        expect({ ...flags, code: read.code, messageId: read.messageId, token: bytes(read.token) }).toEqual({
          ...flags,
          code,
          messageId: message.messageId,
          token: bytes(message.token),
        });
        expect(read.options.map(({ value }) => bytes(value))).toEqual(message.options.map(({ value }) => bytes(value)));
        expect(bytes(read.payload)).toEqual(bytes(message.payload));
      }),
    );
  });

  it('never throws on random bytes, and returns a type only when the header has one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (datagram) => {
        const result = decode(datagram);
        if (!result.ok && datagram.length < 4) expect(result.type).toBeNull();
      }),
      { numRuns: 5_000 },
    );
  });

  it('never throws on a message that is truncated or changed', () => {
    fc.assert(
      fc.property(arbitraryMessage, fc.nat(), fc.nat(), fc.nat(255), (message, cut, where, byte) => {
        const datagram = encode(message);
        decode(datagram.subarray(0, cut % (datagram.length + 1)));
        datagram[where % datagram.length] = byte;
        decode(datagram);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['fewer bytes than a header', '4001', 'short'],
    ['version 0', '00017d34', 'version'],
    ['version 2', '80017d34', 'version'],
    ['a token length of 9', '49017d34' + '00'.repeat(9), 'token length'],
    ['a token length of 15', '4f017d34' + '00'.repeat(15), 'token length'],
    ['a token cut short', '48017d340102', 'truncated'],
    ['an option cut short', '40017d34bb7465', 'truncated'],
    ['a one-byte extended delta cut short', '40017d34d0', 'truncated'],
    ['a two-byte extended delta cut short', '40017d34e001', 'truncated'],
    ['a one-byte extended length cut short', '40017d341d', 'truncated'],
    ['a two-byte extended length cut short', '40017d341e01', 'truncated'],
    ['a length of 65804 without a value', '40017d341effff', 'truncated'],
    ['a delta of 15', '40017d34f1', 'option'],
    ['a length of 15', '40017d341f', 'option'],
    ['an option number above 65535', '40017d34e0ffff', 'option'],
    ['a marker without payload', '40017d34ff', 'empty payload'],
    ['an Empty message with a token', '41007d3401', 'not an empty message'],
    ['an Empty message with a payload', '40007d34ff01', 'not an empty message'],
  ])('refuses %s', (_name, datagram, reason) => {
    expect(decode(hex(datagram))).toMatchObject({ ok: false, reason });
  });

  it('rejects the long message with a token length above 8 that ends a node-coap process', () => {
    const datagram = new Uint8Array(2_000).fill(0xaa);
    datagram.set(hex('4f017d34'));
    expect(decode(datagram)).toMatchObject({ ok: false, reason: 'token length', type: 'CON', messageId: 0x7d34 });
  });

  it('sorts options by number and keeps the order of repeated ones', () => {
    const unsorted = { ...register, options: [...register.options].reverse() };
    expect(Buffer.compare(encode(unsorted), encode(register))).toBe(0);
    const path = ['a', 'b', 'c'].map((segment) => stringOption(optionNumbers.uriPath, segment));
    const message = { ...register, options: [uintOption(optionNumbers.accept, 110), ...path] };
    expect(decoded(encode(message)).options.map(({ value }) => Buffer.from(value).toString())).toEqual([
      'a',
      'b',
      'c',
      'n',
    ]);
  });

  it('throws INVALID for a token or option that can not be encoded', () => {
    const invalid = expect.objectContaining({ code: 'INVALID' });
    expect(() => encode({ ...register, token: new Uint8Array(9) })).toThrow(CoapError);
    expect(() => encode({ ...register, token: new Uint8Array(9) })).toThrow(invalid);
    expect(() => encode({ ...register, options: [{ number: 11, value: new Uint8Array(65_805) }] })).toThrow(invalid);
    expect(() => encode({ ...register, options: [{ number: 65_536, value: NO_BYTES }] })).toThrow(invalid);
  });

  it('writes Empty messages of four bytes', () => {
    expect(Buffer.from(encodeEmpty('ACK', 0x1234)).toString('hex')).toBe('60001234');
    expect(Buffer.from(encodeEmpty('RST', 0xffff)).toString('hex')).toBe('7000ffff');
    expect(decoded(encodeEmpty('RST', 0xffff))).toMatchObject({ type: 'RST', code: 0, messageId: 0xffff });
  });
});
