import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
  const lines = ending.stderr.trimEnd().split('\n');
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
