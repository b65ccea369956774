import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { coapClient, requirePeer } from './peers/index.ts';

requirePeer('libcoap')('libcoap against the whole product', () => {
  let treeline: TreelineProcess;

  beforeAll(async () => {
    treeline = await runTreeline();
  });

  afterAll(() => treeline?.stop());

  it('registers block-wise with 8 KiB of object links and a new token per block', async () => {
    const instances = Array.from({ length: 700 }, (_, instance) => instance);
    const links = ['</1/0>', '</3/0>', ...instances.map((instance) => `</3303/${instance}>`)].join(',');
    expect(links.length).toBeGreaterThanOrEqual(8192);
    const answer = await coapClient({
      method: 'post',
      uri: `coap://${treeline.coap.host}:${treeline.coap.port}/rd?ep=urn:dev:os:libcoap&lt=300&lwm2m=1.1&b=U`,
      contentFormat: 40,
      payload: links,
      blockSize: 256,
    });
    expect(answer.error).toBeNull();
    const tokens = new Set(answer.log.flatMap((line) => /c:POST.*\{([0-9a-f]*)\}.*Block1/.exec(line)?.[1] ?? []));
    expect(tokens.size).toBeGreaterThan(1);
    expect(answer.log.some((line) => /c:2\.01/.test(line))).toBe(true);

    const { device } = await treeline.query<{ device: { objects: { instances: unknown[] }[] } }>(
      '{ device(endpoint: "urn:dev:os:libcoap") { objects(objectIds: [3303]) { instances { instanceId } } } }',
    );
    expect(device.objects[0]?.instances).toHaveLength(instances.length);
  });

  it('answers 4.12 to a Register of an unknown version', async () => {
    const answer = await coapClient({
      method: 'post',
      uri: `coap://${treeline.coap.host}:${treeline.coap.port}/rd?ep=urn:dev:os:late&lt=300&lwm2m=2.0&b=U`,
      contentFormat: 40,
      payload: '</3/0>',
    });
    expect(answer.error).toBe('4.12');
  });

  it('LightweightM2M-1.1-int-105: answers 4.04 to an Update of a registration that is gone', async () => {
    const answer = await coapClient({
      method: 'post',
      uri: `coap://${treeline.coap.host}:${treeline.coap.port}/rd/gone`,
    });
    expect(answer.error).toBe('4.04');
  });
});
