import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { NO_BYTES } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { messageOf, StreamClient } from '../coap/stream-client.ts';
import { type Authority, certify } from '../dtls/certificates.ts';
import { AskedDevice } from './ets/asked-device.ts';
import { etsName } from './ets/catalogue.ts';
import { REGISTERED } from './ets/stage.ts';
import { LeshanDevice, PeerProcess, requirePeer } from './peers/index.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';

const ENDPOINT = 'urn:dev:os:tls';
const DAY = 86_400_000;

describe('a device over TLS (RFC 8323)', () => {
  let treeline: TreelineProcess;
  let server: URL;
  let root: Authority;
  let files: string;

  beforeAll(async () => {
    treeline = await runTreeline();
    server = new URL((/coaps\+tcp:\/\/\S+/.exec(treeline.output())?.[0] ?? '').replace('coaps+tcp:', 'http:'));
    files = await mkdtemp(join(tmpdir(), 'treeline-tls-'));
    root = certify('Factory', null, valid());
    await treeline.query(
      `mutation ($certificate: String!) {
        addTrustAnchor(input: { name: "Factory", certificate: $certificate }) { __typename }
        provisionDevice(input: { endpoint: "${ENDPOINT}", security: { certificate: {} } }) { __typename }
      }`,
      { certificate: root.certificate.toString('base64') },
    );
  });

  afterAll(async () => {
    await treeline?.stop();
    if (files) await rm(files, { recursive: true });
  });

  /** Shakes hands with this certificate; TLS 1.3 lets the client finish before the server has judged it. */
  async function client(own: Authority | null): Promise<StreamClient> {
    const socket = connected(own);
    const stream = new StreamClient(socket);
    await once(socket, 'secureConnect');
    return stream;
  }

  function connected(own: Authority | null): TLSSocket {
    return connect({
      host: server.hostname,
      port: Number(server.port),
      rejectUnauthorized: false,
      ALPNProtocols: ['coap'],
      ...(own && { cert: pem(own.certificate), key: own.privateKey.export({ format: 'pem', type: 'pkcs8' }) }),
    });
  }

  /** The certificate that the server shows: a device pins it. */
  async function serverCertificate(): Promise<Buffer> {
    const socket = connected(null);
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw;
  }

  async function keep(name: string, content: Buffer | string): Promise<string> {
    await writeFile(join(files, name), content);
    return join(files, name);
  }

  /** Registers, is known by its certificate, and is read. */
  async function serves(endpoint: string, peer: PeerProcess): Promise<void> {
    await peer.waitFor(REGISTERED);
    const device = await AskedDevice.online(treeline, endpoint);
    expect(await device.registration()).toMatchObject({ transport: 'TLS', binding: 'T' });
    expect(await device.read(['/3/0/0'])).toMatchObject({ code: '2.05' });
    await peer.stop();
    await device.reaches('OFFLINE');
  }

  requirePeer('leshan')('on Leshan', () => {
    it(etsName(404, 'Leshan', '1.1 over TLS'), async () => {
      const endpoint = await provisioned('leshan');
      const { certificate, privateKey } = certify(endpoint, root, valid());
      const own = await keep('leshan.der', certificate);
      const key = await keep('leshan-key.der', privateKey.export({ format: 'der', type: 'pkcs8' }));
      const shown = await keep('server.der', await serverCertificate());
      const proof = { own, privateKey: key, server: shown };
      await serves(endpoint, new LeshanDevice({ serverUri: uriOf(server), endpoint, certificate: proof }));
    });
  });

  it.each(['1.1', '1.2'].map((lwm2m) => [etsName(404, 'simulated device', `${lwm2m} over TLS`), lwm2m] as const))(
    '%s',
    async (_, lwm2m) => {
      const endpoint = await provisioned(`simulated-${lwm2m}`);
      const { certificate, privateKey } = certify(endpoint, root, valid());
      const own = await keep('device.pem', new X509Certificate(certificate).toString());
      const key = await keep('device-key.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }));
      const trust = await keep('server.pem', new X509Certificate(await serverCertificate()).toString());
      const words = ['--server', uriOf(server), '--endpoint', endpoint, '--lwm2m', lwm2m];
      const proof = ['--certificate', own, '--private-key', key, '--trust', trust];
      const command = ['--import', 'tsx', 'src/cli.ts', 'device', ...words, ...proof];
      await serves(endpoint, new PeerProcess(`device ${endpoint}`, process.execPath, command));
    },
  );

  async function provisioned(name: string): Promise<string> {
    const endpoint = `${ENDPOINT}-${name}`;
    const { provisionDevice } = await treeline.query<{ provisionDevice: { __typename: string } }>(
      `mutation ($endpoint: String!) {
        provisionDevice(input: { endpoint: $endpoint, security: { certificate: {} } }) { __typename }
      }`,
      { endpoint },
    );
    expect(provisionDevice.__typename).toBe('ProvisionDevicePayload');
    return endpoint;
  }

  it(etsName(404, 'scripted client', '1.1 over TLS'), async () => {
    const stream = await client(certify(ENDPOINT, root, valid()));
    expect(await stream.next()).toMatchObject({ code: 0xe1 });
    register(stream);
    expect(messageOf(await nextMessage(stream)).code).toBe(codes.created);
    const { device } = await treeline.query<{ device: { id: string } }>(
      `{ device(endpoint: "${ENDPOINT}") { id status registration { transport binding security { kind name } } } }`,
    );
    expect(device).toMatchObject({
      status: 'ONLINE',
      registration: {
        transport: 'TLS',
        binding: 'T',
        security: { kind: 'X509', name: expect.stringContaining(ENDPOINT) },
      },
    });

    const reading = treeline.query<{ readResources: unknown }>(
      `mutation ($id: ID!) {
        readResources(input: { deviceId: $id, paths: ["/3/0/2"] }) { ... on ReadResourcesPayload { rpc { status } } }
      }`,
      { id: device.id },
    );
    for (;;) {
      const frame = await nextMessage(stream);
      if (!frame) throw new Error('the connection closed');
      const path = messageOf(frame)
        .options.filter(({ number }) => number === optionNumbers.uriPath)
        .map(({ value }) => Buffer.from(value).toString());
      const serial = path.join('/') === '3/0/2';
      const format = uintOption(optionNumbers.contentFormat, 0);
      if (serial) stream.send(codes.content, frame.token, [format], Buffer.from('SN-1'));
      else stream.send(codes.notFound, frame.token, []);
      if (serial) break;
    }
    expect(await reading).toEqual({ readResources: { rpc: { status: 'SUCCESSFUL' } } });
    stream.socket.destroy();
  });

  it.each([
    ['without a certificate', () => null],
    ['whose certificate no anchor issued', () => certify(ENDPOINT, null, valid())],
    [
      'whose certificate has expired',
      () => certify(ENDPOINT, root, { notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY }),
    ],
    ['whose certificate names no device', () => certify('nobody', root, valid())],
  ])('lets nobody in %s', async (_what, certificate) => {
    const stream = await client(certificate());
    expect(await stream.next()).toBeNull();
  });
});

function valid(): { notBefore: number; notAfter: number } {
  return { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
}

function uriOf({ host }: URL): string {
  return `coaps+tcp://${host}`;
}

function register(stream: StreamClient): void {
  stream.send(0xe1, NO_BYTES, []);
  const options = [
    stringOption(optionNumbers.uriPath, 'rd'),
    uintOption(optionNumbers.contentFormat, 40),
    ...[`ep=${ENDPOINT}`, 'lt=300', 'lwm2m=1.1', 'b=T'].map((one) => stringOption(optionNumbers.uriQuery, one)),
  ];
  stream.send(2, Buffer.of(1), options, Buffer.from('</1/0>,</3/0>'));
}

/** The next frame that is no signal. */
async function nextMessage(stream: StreamClient): Promise<Awaited<ReturnType<StreamClient['next']>>> {
  for (;;) {
    const frame = await stream.next();
    if (frame === null || frame.code >> 5 !== 7) return frame;
  }
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
