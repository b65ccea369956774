import { describe, expect, it } from 'vitest';
import { parsePostgresUrl, PostgresUrlError } from '../../src/config/index.ts';

describe('a URL of Postgres', () => {
  it.each([
    [
      'postgres://ada:pw@db:5433/treeline',
      { host: 'db', port: 5433, user: 'ada', password: 'pw', database: 'treeline' },
    ],
    ['postgresql://db', { host: 'db', port: 5432, user: null, password: null, database: null }],
    ['postgres://ada:p%40%2F%3A@[2001:db8::1]/t', { host: '2001:db8::1', password: 'p@/:' }],
    // Cloud SQL and Prisma write the socket’s directory so.
    ['postgres://ada:pw@/t?host=/cloudsql/project:region:name', { host: '/cloudsql/project:region:name', user: 'ada' }],
    ['postgres://ada:pw@localhost/t?host=/run/pg', { host: '/run/pg' }],
    ['postgres://ada:p@ss@db/t', { host: 'db', password: 'p@ss' }],
    ['postgres://ada@%2Frun%2Fpg/t', { host: '/run/pg' }],
    ['postgres://db/t?schema=fleet&connection_limit=5&pgbouncer=true', { schema: 'fleet' }],
    ['postgres://db/t?options=-c%20search_path%3Dfleet', { options: '-c search_path=fleet' }],
    ['postgres://db/t?application_name=meters', { applicationName: 'meters' }],
    ['postgres://db/t?sslmode=require&channel_binding=require', { channelBinding: true }],
  ])('is read as libpq reads it: %s', (url, expected) => {
    expect(parsePostgresUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['', 'prefer'],
    ['sslmode=require', 'require'],
    ['sslmode=verify-full&sslrootcert=system', 'verify-full'],
    ['sslmode=require&sslaccept=strict', 'verify-full'],
    ['ssl=true', 'require'],
  ])('has the TLS mode of its parameters: %s', (query, mode) => {
    expect(parsePostgresUrl(`postgres://db/t?${query}`).tls.mode).toBe(mode);
  });

  it.each([
    ['http://db/t', 'it must be a URL like postgres://user:password@host:5432/database'],
    ['postgres://ada:s3cret@db:x/t', '"db:x" is not a host with a port'],
    ['postgres://ada:s3cret@db:99999/t', 'port 99999 is invalid; it must be a number from 1 to 65535'],
    ['postgres://ada:s3cret@one,two/t', 'it names several hosts, one,two; name one'],
    [
      'postgres://ada:s3cret@db/t?sslmode=requires',
      'sslmode=requires is invalid; it must be one of disable, allow, prefer, require, verify-ca, verify-full',
    ],
    ['postgres://ada:s3cret@db/t?sslmod=require', 'the parameter "sslmod" is unknown'],
    [
      'postgres://db/t?sslmode=require&sslrootcert=system',
      'sslrootcert=system requires sslmode=verify-full, not require',
    ],
    ['postgres://db/t?sslcert=/a.pem', 'sslcert and sslkey require each other'],
    ['postgres://ada:100%@db/t', 'a % in it must be followed by two hexadecimal digits; write %25 for a %'],
  ])('is refused with what is wrong, without the password: %s', (url, message) => {
    expect(() => parsePostgresUrl(url)).toThrow(new PostgresUrlError(message));
    expect(message).not.toContain('s3cret');
  });
});
