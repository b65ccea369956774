import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTreeline, type TreelineProcess, until } from '../e2e/treeline-process.ts';
import { type Consumption, consume } from './kafka-records.ts';
import { KafkaBroker, LeshanDevice, requirePeer } from './peers/index.ts';

const ENDPOINT = 'urn:imei:490154203237518';

interface Change {
  readonly resourceChanged: { readonly resources: readonly { readonly path: string; readonly value: unknown }[] };
}

requirePeer('leshan', 'kafka')('the main job, with the Leshan client and a Kafka broker', () => {
  let broker: KafkaBroker;
  let consumption: Consumption;
  let treeline: TreelineProcess;
  let leshan: LeshanDevice;
  let id: string;
  let deviceId: string;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    consumption = await consume(broker.brokers, ['telemetry.raw.default', 'device.status']);
    treeline = await runTreeline({ KAFKA_BROKERS: broker.brokers });
    leshan = new LeshanDevice({
      serverUri: `coap://${treeline.coap.host}:${treeline.coap.port}`,
      endpoint: ENDPOINT,
    });
    await leshan.registered();
    const { device } = await treeline.query<{ device: { id: string; deviceId: string } }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { id deviceId } }',
      { endpoint: ENDPOINT },
    );
    ({ id, deviceId } = device);
  });

  afterAll(async () => {
    await leshan?.stop();
    await treeline?.stop();
    await consumption?.stop();
    await broker?.remove();
  });

  it('LightweightM2M-1.1-int-101: registers; its tree is queried', async () => {
    const { device } = await treeline.query<{ device: Record<string, unknown> }>(
      `query ($id: ID!) {
        device(id: $id) {
          endpoint status
          registration { lwm2mVersion binding lifetime transport address }
          objects { objectId version definition { name } instances { instanceId resources { path value } } }
        }
      }`,
      { id },
    );
    expect(device).toMatchObject({
      endpoint: ENDPOINT,
      status: 'ONLINE',
      registration: { lwm2mVersion: '1.1', binding: 'U', lifetime: 300, transport: 'UDP' },
      objects: expect.arrayContaining([
        expect.objectContaining({ objectId: 3, definition: { name: 'Device' } }),
        expect.objectContaining({ objectId: 3303, definition: { name: 'Temperature' } }),
      ]),
    });
  });

  it('publishes that it is online', async () => {
    const record = await consumption.first(({ topic }) => topic === 'device.status');
    expect(record.key).toBe(deviceId);
    expect(record.value).toMatchObject({
      device_id: deviceId,
      tenant_id: 'default',
      endpoint: ENDPOINT,
      status: 'online',
      reason: 'registered',
    });
  });

  it.each(['webSocket', 'sse'] as const)(
    'LightweightM2M-1.1-int-301: streams /3303/0/5700 over %s',
    async (transport) => {
      const changes = treeline[transport]<Change>(
        `subscription ($id: ID!) { resourceChanged(deviceId: $id, paths: ["/3303/0/5700"]) { resources { path value } } }`,
        { id },
      );
      const wanted = transport === 'sse' ? 31.25 : 21.75;
      let told = false;
      const change = await until(changes, ({ resourceChanged: { resources } }) => {
        if (!told) leshan.write(`set /3303/0/5700 ${wanted}`);
        told = true;
        return resources.some(({ value }) => value === wanted);
      });
      expect(change.resourceChanged.resources).toEqual([{ path: '/3303/0/5700', value: wanted }]);
    },
  );

  it('keeps the reading in the database', async () => {
    const { device } = await treeline.query<{ device: unknown }>(
      `query ($id: ID!) {
        device(id: $id) {
          resource(path: "/3303/0/5700") { value source timestamp }
          telemetry(metrics: ["temperature"], first: 1) { edges { node { numericValues } } }
        }
      }`,
      { id },
    );
    expect(device).toMatchObject({
      resource: { value: 31.25, source: 'NOTIFICATION', timestamp: expect.any(String) },
      telemetry: { edges: [{ node: { numericValues: { temperature: 31.25 } } }] },
    });
  });

  it('publishes the reading as a TelemetryPoint', async () => {
    const record = await consumption.first(
      ({ topic, value }) =>
        topic === 'telemetry.raw.default' &&
        (value['numeric_values'] as Record<string, number>)['temperature'] === 31.25,
    );
    expect(record).toMatchObject({
      key: deviceId,
      headers: { 'event-id': expect.any(String), 'content-type': 'application/json' },
      value: { device_id: deviceId, tenant_id: 'default', timestamp: expect.any(String), string_values: {} },
    });
  });

  it('LightweightM2M-1.1-int-241: reboots it by callRpc, and it registers again', async () => {
    const since = leshan.mark();
    const { callRpc } = await treeline.query<{ callRpc: { rpc: unknown } }>(
      `mutation ($id: ID!) {
        callRpc(input: { deviceId: $id, method: "reboot" }) {
          ... on CallRpcPayload { rpc { status transitions { to } result error { message } } }
        }
      }`,
      { id },
    );
    expect(callRpc.rpc).toMatchObject({ status: 'SUCCESSFUL', error: null });
    await leshan.waitFor(/^EXECUTE \/3\/0\/4/, { since });
  });

  it('keeps serving while the broker is away; every point arrives when it returns', async () => {
    await broker.stop();
    const temperatures = [1.5, 2.5, 3.5, 4.5];
    const changes = treeline.webSocket<Change>(
      `subscription ($id: ID!) { resourceChanged(deviceId: $id, paths: ["/3303/0/5700"]) { resources { path value } } }`,
      { id },
    );
    for (const temperature of temperatures) {
      leshan.write(`set /3303/0/5700 ${temperature}`);
      for (;;) {
        const { value } = await changes.next();
        if (value.resourceChanged.resources[0]?.value === temperature) break;
      }
    }
    await changes.return(undefined);
    await broker.start();
    for (const temperature of temperatures) {
      await consumption.first(
        ({ value }) => (value['numeric_values'] as Record<string, number> | undefined)?.['temperature'] === temperature,
        60_000,
      );
    }
  });

  it('LightweightM2M-1.1-int-103: de-registers; device.status says offline', async () => {
    await leshan.stop();
    const record = await consumption.first(({ value }) => value['status'] === 'offline');
    expect(record.value).toMatchObject({ device_id: deviceId, previous: 'online', reason: 'deregistered' });
    const { device } = await treeline.query<{ device: unknown }>(
      'query ($id: ID!) { device(id: $id) { status registration { lifetime } } }',
      { id },
    );
    expect(device).toEqual({ status: 'OFFLINE', registration: null });
  });
});
