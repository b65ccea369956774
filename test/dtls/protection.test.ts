import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Channel, type ChannelState } from '../../src/dtls/channel.ts';
import { cipherKeys, type Protection, protectionOf } from '../../src/dtls/protection.ts';
import { additionalData, CONTENT, encodeRecord, parseRecords } from '../../src/dtls/record.ts';
import { NOTHING_SEEN } from '../../src/dtls/replay.ts';
import { suiteNamed, type SuiteName } from '../../src/dtls/suites.ts';

function protection(name: SuiteName, encryptThenMac = true): Protection {
  const suite = suiteNamed(name);
  if (!suite) throw new Error(name);
  return protectionOf(suite, encryptThenMac);
}

const PROTECTIONS: [string, Protection][] = [
  ['CCM-8', protection('TLS_PSK_WITH_AES_128_CCM_8')],
  ['GCM', protection('TLS_PSK_WITH_AES_128_GCM_SHA256')],
  ['CBC, encrypt-then-MAC', protection('TLS_PSK_WITH_AES_128_CBC_SHA256', true)],
  ['CBC, MAC-then-encrypt', protection('TLS_PSK_WITH_AES_128_CBC_SHA256', false)],
];

const raw = { macKey: Buffer.alloc(32, 7), key: Buffer.alloc(16, 8), iv: Buffer.alloc(4, 9) };
const keys = cipherKeys(raw);
const header = { type: CONTENT.applicationData, epoch: 1, sequence: 5, cid: null };

function sealedFragment(protect: Protection, content: Buffer): Buffer {
  return record(protect.seal(keys, header, content)).fragment;
}

describe('additional data', () => {
  it('consists of epoch, sequence number, type, version and length: RFC 6347 §4.1.2.1', () => {
    expect(additionalData(header, 0x0102).toString('hex')).toBe('000100000000000517fefd0102');
  });

  it('with a Connection ID follows RFC 9146 §5.3', () => {
    const cid = Buffer.from('c1d2', 'hex');
    expect(additionalData({ ...header, type: CONTENT.tls12Cid, cid }, 3).toString('hex')).toBe(
      'ffffffffffffffff190219fefd0001000000000005c1d20003',
    );
  });
});

describe.each(PROTECTIONS)('protection with %s', (_name, protect) => {
  const content = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));

  it('opens records that it sealed', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(protect.open(keys, header, sealedFragment(protect, bytes))).toEqual(bytes);
      }),
    );
  });

  it('rejects a fragment that was changed, cut, extended or moved to another header', () => {
    fc.assert(
      fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
        const sealed = sealedFragment(protect, bytes);
        const changed = Buffer.from(sealed);
        const place = at % changed.length;
        changed[place] = (changed[place] ?? 0) ^ flip;
        expect(protect.open(keys, header, changed)).toBeNull();
        expect(protect.open(keys, header, sealed.subarray(0, at % sealed.length))).toBeNull();
        expect(protect.open(keys, header, Buffer.concat([sealed, Buffer.alloc(16)]))).toBeNull();
        expect(protect.open(keys, { ...header, sequence: 6 }, sealed)).toBeNull();
        expect(protect.open(keys, { ...header, type: CONTENT.handshake }, sealed)).toBeNull();
      }),
    );
  });

  it('rejects random fragments without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(protect.open(keys, header, Buffer.from(bytes))).toBeNull();
      }),
    );
  });
});

describe('a channel', () => {
  const other = { macKey: Buffer.alloc(32, 1), key: Buffer.alloc(16, 2), iv: Buffer.alloc(4, 3) };
  const ourCid = Buffer.from('0102030405060708', 'hex');
  const state: ChannelState = {
    readKeys: other,
    writeKeys: raw,
    nextSequence: 0,
    replay: NOTHING_SEEN,
    readCid: null,
    writeCid: null,
  };
  const ends = (cid: Buffer | null) =>
    [
      new Channel(protection('TLS_PSK_WITH_AES_128_CCM_8'), { ...state, writeCid: cid }),
      new Channel(protection('TLS_PSK_WITH_AES_128_CCM_8'), {
        ...state,
        readKeys: raw,
        writeKeys: other,
        readCid: cid,
      }),
    ] as const;

  it('encrypts the type of a record with a Connection ID, and accepts padding: RFC 9146 §4', () => {
    const [device, server] = ends(ourCid);
    const sealed = record(device.seal(CONTENT.alert, Buffer.from([1, 0])));
    expect(sealed.type).toBe(CONTENT.tls12Cid);
    expect(server.open(sealed)).toMatchObject({ type: CONTENT.alert, content: Buffer.from([1, 0]) });
    const padded = protection('TLS_PSK_WITH_AES_128_CCM_8').seal(
      keys,
      { type: CONTENT.tls12Cid, epoch: 1, sequence: 9, cid: ourCid },
      Buffer.from([0x61, CONTENT.applicationData, 0, 0, 0]),
    );
    expect(server.open(record(padded))).toMatchObject({ type: CONTENT.applicationData, content: Buffer.from('a') });
  });

  it('refuses a record without the Connection ID that was negotiated', () => {
    const [device] = ends(null);
    const [, server] = ends(ourCid);
    expect(server.open(record(device.seal(CONTENT.applicationData, Buffer.from('a'))))).toBe('without_cid');
  });

  it('accepts a record once', () => {
    const [device, server] = ends(null);
    const sealed = record(device.seal(CONTENT.applicationData, Buffer.from('a')));
    expect(server.open(sealed)).toMatchObject({ newest: true });
    expect(server.open(sealed)).toBe('replayed');
  });

  it('accepts records after a forged one with a high sequence number', () => {
    const [device, server] = ends(null);
    const forged = encodeRecord({ ...header, sequence: 2 ** 40 }, Buffer.alloc(40));
    expect(server.open(record(forged))).toBe('forged');
    expect(server.open(record(device.seal(CONTENT.applicationData, Buffer.from('a'))))).toMatchObject({ newest: true });
  });

  it('stops sealing when the sequence numbers are used up', () => {
    const channel = new Channel(protection('TLS_PSK_WITH_AES_128_CCM_8'), { ...state, nextSequence: 2 ** 48 - 1 });
    expect(channel.seal(CONTENT.applicationData, Buffer.from('last'))).not.toBeNull();
    expect(channel.seal(CONTENT.applicationData, Buffer.from('one more'))).toBeNull();
  });
});

function record(bytes: Buffer | null) {
  const [first] = parseRecords(bytes ?? Buffer.alloc(0));
  if (!first) throw new Error('no record');
  return first;
}
