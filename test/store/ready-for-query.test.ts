import { describe, expect, it } from 'vitest';

import { oneReadyForQueryEach } from '../../src/store/ready-for-query.ts';

const message = (type: string, body = ''): Buffer => {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type);
  bytes.writeUInt32BE(4 + body.length, 1);
  bytes.write(body, 5, 'latin1');
  return bytes;
};
const messages = (...list: Buffer[]): Uint8Array => new Uint8Array(Buffer.concat(list));

const parse = message('P', '\0select 1\0\0\0');
const sync = message('S');
const query = message('Q', 'select 1\0');
const error = message('E', 'SERROR\0\0');
const complete = message('C', 'SELECT 1\0');
const ready = message('Z', 'I');

describe('the answers of PGlite', () => {
  it.each([
    ['an extended query that failed', [parse, sync], [error, ready, ready], [error, ready]],
    ['an extended query that succeeded', [parse, sync], [complete, ready], [complete, ready]],
    ['a simple query that failed', [query], [error, ready], [error, ready]],
    ['a part of a query that failed before its Sync', [parse], [error, ready], [error]],
    ['a Sync alone', [sync], [ready], [ready]],
    ['two queries at once', [query, query], [complete, ready, complete, ready], [complete, ready, complete, ready]],
    [
      'a row that contains the letter Z',
      [query],
      [message('D', 'ZZZZ'), complete, ready],
      [message('D', 'ZZZZ'), complete, ready],
    ],
  ])('have one ReadyForQuery each: %s', (_case, request, raw, expected) => {
    expect(oneReadyForQueryEach(messages(...request), messages(...raw))).toEqual(messages(...expected));
  });
});
