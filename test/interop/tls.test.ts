import { connect } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { NO_BYTES } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { messageOf, StreamClient } from '../coap/stream-client.ts';
import { type Authority, certify } from '../dtls/certificates.ts';
import { etsName } from './ets/catalogue.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';

const ENDPOINT = 'urn:dev:os:tls';
const DAY = 86_400_000;

describe('a device over TLS (RFC 8323)', () => {
  let treeline: TreelineProcess;
  let server: URL;
  let root: Authority;

  beforeAll(async () => {
    treeline = await runTreeline();
    server = new URL((/coaps\+tcp:\/\/\S+/.exec(treeline.output())?.[0] ?? '').replace('coaps+tcp:', 'http:'));
    const now = Date.now();
    root = certify('Factory', null, { notBefore: now - DAY, notAfter: now + DAY });
    await treeline.query(
      `mutation ($certificate: String!) {
        addTrustAnchor(input: { name: "Factory", certificate: $certificate }) { __typename }
        provisionDevice(input: { endpoint: "${ENDPOINT}", security: { certificate: {} } }) { __typename }
      }`,
      { certificate: root.certificate.toString('base64') },
    );
  });

  afterAll(() => treeline?.stop());

  /** Shakes hands with this certificate; TLS 1.3 lets the client finish before the server has judged it. */
  async function client(own: Authority | null): Promise<StreamClient> {
    const socket = connect({
      host: server.hostname,
      port: Number(server.port),
      rejectUnauthorized: false,
      ALPNProtocols: ['coap'],
      ...(own && { cert: pem(own.certificate), key: own.privateKey.export({ format: 'pem', type: 'pkcs8' }) }),
    });
    const stream = new StreamClient(socket);
    await once(socket, 'secureConnect');
    return stream;
  }

  it(etsName(404, 'scripted client', '1.1 over TLS'), async () => {
    const now = Date.now();
    const stream = await client(certify(ENDPOINT, root, { notBefore: now - DAY, notAfter: now + DAY }));
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
    [
      'whose certificate no anchor issued',
      () => certify(ENDPOINT, null, { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY }),
    ],
    [
      'whose certificate has expired',
      () => certify(ENDPOINT, root, { notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY }),
    ],
    [
      'whose certificate names no device',
      () => certify('nobody', root, { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY }),
    ],
  ])('lets nobody in %s', async (_what, certificate) => {
    const stream = await client(certificate());
    expect(await stream.next()).toBeNull();
  });
});

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
