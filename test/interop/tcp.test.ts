import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { etsName } from './ets/catalogue.ts';
import { coapClient, requirePeer } from './peers/index.ts';

requirePeer('libcoap')('libcoap over TCP (RFC 8323) against the whole product', () => {
  let treeline: TreelineProcess;
  let server: string;

  beforeAll(async () => {
    treeline = await runTreeline();
    server = /coap\+tcp:\/\/\S+/.exec(treeline.output())?.[0] ?? '';
  });

  afterAll(() => treeline?.stop());

  it(etsName(106, 'libcoap', '1.1 over TCP'), async () => {
    const answer = await coapClient({
      method: 'post',
      uri: `${server}/rd?ep=urn:dev:os:tcp&lt=300&lwm2m=1.1&b=T`,
      contentFormat: 40,
      payload: '</1/0>,</3/0>,</3303/0>',
    });
    expect(answer.error).toBeNull();
    expect(answer.log.some((line) => /c:2\.01/.test(line))).toBe(true);
    const { device } = await treeline.query<{ device: unknown }>(
      '{ device(endpoint: "urn:dev:os:tcp") { status registration { binding transport lwm2mVersion } } }',
    );
    expect(device).toMatchObject({ registration: { binding: 'T', transport: 'TCP', lwm2mVersion: '1.1' } });
  });

  it('registers with a body of several blocks', async () => {
    const links = Array.from({ length: 300 }, (_, instance) => `</3303/${instance}>`).join(',');
    const answer = await coapClient({
      method: 'post',
      uri: `${server}/rd?ep=urn:dev:os:tcp-large&lt=300&lwm2m=1.1&b=T`,
      contentFormat: 40,
      payload: links,
      blockSize: 512,
    });
    expect(answer.error).toBeNull();
    const { device } = await treeline.query<{ device: { objects: { instances: unknown[] }[] } }>(
      '{ device(endpoint: "urn:dev:os:tcp-large") { objects(objectIds: [3303]) { instances { instanceId } } } }',
    );
    expect(device.objects[0]?.instances).toHaveLength(300);
  });

  it('goes on serving whatever bytes come', async () => {
    const { hostname, port } = new URL(server.replace('coap+tcp:', 'http:'));
    const ended = (bytes: Buffer): Promise<void> =>
      new Promise((resolve) => {
        const socket: Socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.on('error', () => {});
        socket.resume();
        socket.on('close', () => resolve());
      });
    for (let length = 1; length < 400; length += 7) await ended(Buffer.alloc(length, length % 251));
    const answer = await coapClient({ method: 'get', uri: `${server}/nothing` });
    expect(answer.error).toBe('4.04');
  });
});
