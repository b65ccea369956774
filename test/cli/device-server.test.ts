import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { coapUri, collectUris, serverAddress } from '../../src/cli/device-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'treeline-device-server-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string): string {
  writeFileSync(join(folder, name), name);
  return join(folder, name);
}

const noCredentials = { endpoint: 'dev1', count: 1 };

describe('coapUri', () => {
  it.each([
    ['coap://127.0.0.1', { scheme: 'coap', host: '127.0.0.1', port: 5683 }],
    ['coaps://iot.example.com', { scheme: 'coaps', host: 'iot.example.com', port: 5684 }],
    ['coap+tcp://[::1]', { scheme: 'coap+tcp', host: '::1', port: 5683 }],
    ['coaps+tcp://[::1]:7000', { scheme: 'coaps+tcp', host: '::1', port: 7000 }],
  ])('parses %s', (text, uri) => {
    expect(coapUri(text)).toEqual(uri);
  });

  it.each(['127.0.0.1:5683', 'http://127.0.0.1', 'coap:', 'toString://127.0.0.1'])('rejects %s', (text) => {
    expect(() => coapUri(text)).toThrow('a URI like coap://127.0.0.1:5683');
  });

  it('collects several URIs', () => {
    const first = collectUris('coap://127.0.0.1');
    expect(collectUris('coap+tcp://127.0.0.1', first).map(({ scheme }) => scheme)).toEqual(['coap', 'coap+tcp']);
  });
});

describe('the channel to a server', () => {
  it('is plain UDP or TCP for the schemes without s', async () => {
    const server = { host: '127.0.0.1', port: 5683 };
    expect(await serverAddress({ scheme: 'coap', ...server }, noCredentials)).toEqual({
      ...server,
      channel: { kind: 'udp' },
    });
    expect(await serverAddress({ scheme: 'coap+tcp', ...server }, noCredentials)).toMatchObject({
      channel: { kind: 'tcp' },
    });
  });

  it('is DTLS with the pre-shared key, whose identity is the endpoint name by default', async () => {
    const uri = coapUri('coaps://127.0.0.1');
    const psk = { identity: 'dev1', key: Buffer.of(1, 2) };
    expect(await serverAddress(uri, { ...noCredentials, pskKey: '0102' })).toMatchObject({
      channel: { kind: 'dtls', psk },
    });
    await expect(serverAddress(uri, noCredentials)).rejects.toThrow('coaps:// requires --psk-key');
    await expect(serverAddress(uri, { ...noCredentials, pskKey: 'secret' })).rejects.toThrow(
      '--psk-key must be hexadecimal',
    );
    await expect(serverAddress(uri, { ...noCredentials, count: 2, pskKey: '0102' })).rejects.toThrow(
      'each device needs its own key',
    );
  });

  it('is TLS with the certificate, key and authorities read from files', async () => {
    const uri = coapUri('coaps+tcp://127.0.0.1');
    const files = { certificate: file('own'), privateKey: file('key'), trust: file('trusted') };
    expect(await serverAddress(uri, { ...noCredentials, ...files })).toMatchObject({
      channel: { kind: 'tls', credentials: { certificate: 'own', privateKey: 'key', authorities: 'trusted' } },
    });
    await expect(serverAddress(uri, noCredentials)).rejects.toThrow('coaps+tcp:// requires --certificate');
  });
});
