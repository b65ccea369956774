import { describe, expect, it } from 'vitest';
import { additionalData, allocateRecord, encodeRecord, MAX_SEQUENCE, parseRecords } from '../../src/dtls/record.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const CID = 'c0c1c2c3c4c5c6c7';
const RECORD = '16 fefd 0001 000000000102 0002 aabb';

describe('a datagram', () => {
  it('holds a record: type, version, epoch, sequence number, fragment (RFC 6347 §4.1)', () => {
    expect(parseRecords(hex(RECORD))).toEqual([
      { type: 22, version: 0xfefd, epoch: 1, sequence: 0x0102, cid: null, fragment: hex('aabb') },
    ]);
  });

  it('holds a record with a Connection ID (RFC 9146 §3)', () => {
    expect(parseRecords(hex(`19 fefd 0001 000000000102 ${CID} 0002 aabb`))).toEqual([
      { type: 25, version: 0xfefd, epoch: 1, sequence: 0x0102, cid: hex(CID), fragment: hex('aabb') },
    ]);
  });

  it('may hold several, one behind the other, and an empty one', () => {
    const records = parseRecords(hex(`${RECORD} 17 feff 0000 000000000000 0000 ${RECORD}`));
    expect(records.map(({ type, version, fragment }) => [type, version, fragment.length])).toEqual([
      [22, 0xfefd, 2],
      [23, 0xfeff, 0],
      [22, 0xfefd, 2],
    ]);
  });

  it.each([20, 21, 22, 23])('may hold a record of type %i', (type) => {
    expect(parseRecords(encodeRecord({ type, epoch: 0, sequence: 0, cid: null }, hex('aa')))).toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['a header that lacks a byte', '16 fefd 0001 000000000102 00'],
    ['a type below 20', '13 fefd 0001 000000000102 0002 aabb'],
    ['the type 24 (heartbeat)', '18 fefd 0001 000000000102 0002 aabb'],
    ['a type above 25', '1a fefd 0001 000000000102 0002 aabb'],
    ['TLS 1.2', '16 0303 0001 000000000102 0002 aabb'],
    ['a fragment that lacks a byte', '16 fefd 0001 000000000102 0002 aa'],
    ['half a Connection ID', '19 fefd 0001 000000000102 c0c1c2c3'],
    ['a Connection ID and no length', `19 fefd 0001 000000000102 ${CID}`],
    ['a Connection ID and half a length', `19 fefd 0001 000000000102 ${CID} 00`],
  ])('of %s holds no record', (_what, text) => {
    expect(parseRecords(hex(text))).toEqual([]);
  });

  it('is read up to its first malformed record (RFC 6347 §4.1.2.7)', () => {
    const malformed = '18 fefd 0001 000000000102 0000';
    expect(parseRecords(hex(`${RECORD} ${malformed} ${RECORD}`))).toHaveLength(1);
  });

  it('may end with an empty record', () => {
    expect(parseRecords(hex('17 fefd 0001 000000000102 0000'))[0]?.fragment).toHaveLength(0);
  });

  it('may hold a record with a Connection ID and no byte behind it', () => {
    expect(parseRecords(hex(`19 fefd 0001 000000000102 ${CID} 0000`))[0]?.fragment).toHaveLength(0);
  });

  it.each([
    [1, 18_432],
    [0, 18_433],
  ])('gives %i record of %i bytes (RFC 5246 §6.2.3)', (count, length) => {
    const datagram = encodeRecord({ type: 23, epoch: 1, sequence: 0, cid: null }, Buffer.alloc(length));
    expect(parseRecords(datagram)).toHaveLength(count);
  });
});

describe('writing a record', () => {
  const header = { type: 22, epoch: 1, sequence: 0x0102, cid: null };

  it('lays it out as RFC 6347 §4.1 does', () => {
    expect(encodeRecord(header, hex('aabb'))).toEqual(hex(RECORD));
    expect(encodeRecord(header, hex('aabb'), 0xfeff)).toEqual(hex(RECORD.replace('fefd', 'feff')));
  });

  it('has sequence numbers of 48 bits', () => {
    const [last] = parseRecords(encodeRecord({ ...header, sequence: MAX_SEQUENCE }, hex('aa')));
    expect(last?.sequence).toBe(MAX_SEQUENCE);
    expect(() => encodeRecord({ ...header, sequence: MAX_SEQUENCE + 1 }, hex('aa'))).toThrow(RangeError);
  });

  it("lays it out as RFC 9146 §3 does, with the receiver's Connection ID of any length", () => {
    const cid = hex('0a0b0c');
    const start = '19 fefd 0001 000000000102 0a0b0c 0002';
    expect(encodeRecord({ ...header, type: 25, cid }, hex('aabb'))).toEqual(hex(`${start} aabb`));
    const allocated = allocateRecord({ ...header, type: 25, cid }, 2);
    expect([allocated.length, allocated.subarray(0, -2)]).toEqual([18, hex(start)]);
  });
});

describe('the additional data of a record', () => {
  const header = { type: 23, epoch: 1, sequence: 0x0102, cid: null };

  it('is that of RFC 5246 §6.2.3.3 without a Connection ID', () => {
    expect(additionalData(header, 5)).toEqual(hex('0001 000000000102 17 fefd 0005'));
  });

  it('is that of RFC 9146 §5 with one', () => {
    expect(additionalData({ ...header, cid: hex('0a0b0c') }, 5)).toEqual(
      hex('ffffffffffffffff 19 03 19 fefd 0001 000000000102 0a0b0c 0005'),
    );
  });
});
