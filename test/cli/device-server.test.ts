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

const nobody = { endpoint: 'dev1', count: 1 };

describe('the address of a server', () => {
  it.each([
    ['coap://127.0.0.1', { scheme: 'coap', host: '127.0.0.1', port: 5683 }],
    ['coaps://iot.example.com', { scheme: 'coaps', host: 'iot.example.com', port: 5684 }],
    ['coap+tcp://[::1]', { scheme: 'coap+tcp', host: '::1', port: 5683 }],
    ['coaps+tcp://[::1]:7000', { scheme: 'coaps+tcp', host: '::1', port: 7000 }],
  ])('is %s', (text, uri) => {
    expect(coapUri(text)).toEqual(uri);
  });

  it.each(['127.0.0.1:5683', 'http://127.0.0.1', 'coap:', 'toString://127.0.0.1'])('is not %s', (text) => {
    expect(() => coapUri(text)).toThrow('like coap://127.0.0.1:5683');
  });

  it('may be given twice', () => {
    const first = collectUris('coap://127.0.0.1');
    expect(collectUris('coap+tcp://127.0.0.1', first).map(({ scheme }) => scheme)).toEqual(['coap', 'coap+tcp']);
  });
});

describe('the way to a server', () => {
  it('is plain without s', async () => {
    const server = { host: '127.0.0.1', port: 5683 };
    expect(await serverAddress({ scheme: 'coap', ...server }, nobody)).toEqual({ ...server, channel: { kind: 'udp' } });
    expect(await serverAddress({ scheme: 'coap+tcp', ...server }, nobody)).toMatchObject({ channel: { kind: 'tcp' } });
  });

  it('is DTLS with the pre-shared key, under the endpoint unless told', async () => {
    const uri = coapUri('coaps://127.0.0.1');
    const psk = { identity: 'dev1', key: Buffer.of(1, 2) };
    expect(await serverAddress(uri, { ...nobody, pskKey: '0102' })).toMatchObject({ channel: { kind: 'dtls', psk } });
    await expect(serverAddress(uri, nobody)).rejects.toThrow('coaps:// needs --psk-key');
    await expect(serverAddress(uri, { ...nobody, pskKey: 'secret' })).rejects.toThrow('--psk-key is not hex');
    await expect(serverAddress(uri, { ...nobody, count: 2, pskKey: '0102' })).rejects.toThrow('a key of its own');
  });

  it('is TLS with the certificate and the authorities of the files', async () => {
    const uri = coapUri('coaps+tcp://127.0.0.1');
    const files = { certificate: file('own'), privateKey: file('key'), trust: file('trusted') };
    expect(await serverAddress(uri, { ...nobody, ...files })).toMatchObject({
      channel: { kind: 'tls', credentials: { certificate: 'own', privateKey: 'key', authorities: 'trusted' } },
    });
    await expect(serverAddress(uri, nobody)).rejects.toThrow('coaps+tcp:// needs --certificate');
  });
});
