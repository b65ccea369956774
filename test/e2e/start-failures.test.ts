import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerIdentity } from '../../src/dtls/index.ts';

interface Ending {
  readonly code: number;
  readonly stderr: string;
  readonly ms: number;
}

describe('a failing start', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'treeline-start-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  function serve(environment: Record<string, string>): Promise<Ending> {
    const begun = Date.now();
    const env = {
      TREELINE_DATA_DIR: directory,
      TREELINE_HTTP_PORT: '0',
      TREELINE_COAP_PORT: '0',
      TREELINE_COAPS_PORT: '0',
      TREELINE_BOOTSTRAP_PORT: '0',
      TREELINE_BOOTSTRAP_COAPS_PORT: '0',
      ...environment,
    };
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', 'src/cli.ts', 'serve'],
        { env: { ...process.env, DATABASE_URL: '', KAFKA_BROKERS: '', ...env }, timeout: 30_000 },
        (error, _stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stderr, ms: Date.now() - begun }),
      );
    });
  }

  it('names an invalid setting and its value', async () => {
    expectOneClearLine(await serve({ TREELINE_COAP_PORT: 'high' }), 'TREELINE_COAP_PORT', '"high"');
  });

  it('names a missing file', async () => {
    const ending = await serve({ KAFKA_BROKERS: '127.0.0.1:1', KAFKA_TLS: 'true', KAFKA_TLS_CA: '/nowhere/ca.pem' });
    expectOneClearLine(ending, 'KAFKA_TLS_CA', '/nowhere/ca.pem');
  });

  it('names a missing certificate of the API', async () => {
    const ending = await serve({
      TREELINE_HTTP_TLS_CERT: '/nowhere/api.pem',
      TREELINE_HTTP_TLS_KEY: '/nowhere/key.pem',
    });
    expectOneClearLine(ending, 'TREELINE_HTTP_TLS_CERT', '/nowhere/api.pem');
    expectOneClearLine(
      await serve({ TREELINE_HTTP_TLS_CERT: '/nowhere/api.pem' }),
      'TREELINE_HTTP_TLS_KEY is missing; set both',
    );
  });

  it('names a busy HTTP port', async () => {
    const { server, port } = await occupied();
    expectOneClearLine(await serve({ TREELINE_HTTP_PORT: String(port) }), '127.0.0.1', String(port));
    server.close();
  });

  it('names a busy CoAP port', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    expectOneClearLine(await serve({ TREELINE_COAP_PORT: String(port) }), '127.0.0.1', String(port));
    socket.close();
  });

  it('names an unknown setting and the nearest one', async () => {
    expectOneClearLine(await serve({ TREELINE_LOGLEVEL: 'debug' }), 'TREELINE_LOGLEVEL', 'TREELINE_LOG_LEVEL');
  });

  it('names the setting of an address that this machine does not have', async () => {
    expectOneClearLine(await serve({ TREELINE_COAP_HOST: '203.0.113.1' }), 'TREELINE_COAP_HOST', '"203.0.113.1"');
    expectOneClearLine(
      await serve({ TREELINE_HTTP_HOST: 'nowhere.invalid' }),
      'TREELINE_HTTP_HOST',
      '"nowhere.invalid"',
    );
  });

  it('names the setting of a data directory that can’t be used', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    expectOneClearLine(await serve({ TREELINE_DATA_DIR: file }), 'TREELINE_DATA_DIR', file);
  });

  it('names the settings of DTLS files that are missing or wrong, or whose certificate has expired', async () => {
    const [certificateFile, keyFile] = [join(directory, 'dtls.pem'), join(directory, 'dtls-own.key')];
    const files = { TREELINE_DTLS_CERT: certificateFile, TREELINE_DTLS_KEY: keyFile };
    expectOneClearLine(await serve(files), 'TREELINE_DTLS_CERT', certificateFile);
    const identity = { commonName: 'treeline', names: ['localhost'], days: 1 };
    const { certificates, privateKey } = createServerIdentity({ ...identity, now: Date.now() - 3 * 86_400_000 });
    await writeFile(certificateFile, certificates);
    await writeFile(keyFile, privateKey);
    expectOneClearLine(await serve(files), 'TREELINE_DTLS_CERT', certificateFile, 'has expired on');
    await writeFile(keyFile, 'text');
    expectOneClearLine(await serve(files), 'TREELINE_DTLS_KEY', keyFile, "private key can't be read");
    // All of this before the database is opened.
    await expect(access(join(directory, 'database'))).rejects.toThrow('ENOENT');
  });

  it('names an unreachable database, without its password', async () => {
    const { server, port } = await occupied();
    server.close();
    const ending = await serve({ DATABASE_URL: `postgres://treeline:hunter2@127.0.0.1:${port}/treeline` });
    expectOneClearLine(ending, '127.0.0.1', String(port));
    expect(ending.stderr).not.toContain('hunter2');
  });
});

function expectOneClearLine(ending: Ending, ...words: readonly string[]): void {
  expect(ending.code).toBe(1);
  // The log may have the line of the start before it.
  const lines = ending.stderr.split('\n').filter((line) => line !== '' && !line.includes('"Treeline starts"'));
  expect(lines).toHaveLength(1);
  for (const word of words) expect(lines[0]).toContain(word);
}

async function occupied(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}
