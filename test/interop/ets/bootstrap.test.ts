import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDevice } from '../../e2e/device-process.ts';
import { runTreeline, until, type TreelineProcess } from '../../e2e/treeline-process.ts';
import { etsName } from './catalogue.ts';

interface Status {
  readonly deviceStatusChanged: { readonly status: string; readonly device: { readonly endpoint: string } };
}

describe('bootstrap cases that judge the device', () => {
  let treeline: TreelineProcess;
  let bootstrap: string;

  beforeAll(async () => {
    treeline = await runTreeline();
    bootstrap = /Bootstrap\s+(coap:\S+)/.exec(treeline.output())?.[1] ?? '';
    const { deviceProfiles } = await treeline.query<{ deviceProfiles: { nodes: { id: string }[] } }>(
      '{ deviceProfiles(first: 1) { nodes { id } } }',
    );
    await treeline.query(
      `mutation ($profileId: ID!, $uri: String!) {
        setBootstrapPlan(input: { profileId: $profileId, plan: { server: { uri: $uri } } }) { __typename }
      }`,
      { profileId: deviceProfiles.nodes[0]?.id, uri: `coaps://${treeline.coaps.host}:${treeline.coaps.port}` },
    );
  });

  afterAll(() => treeline?.stop());

  async function online(endpoint: string): Promise<void> {
    const statuses = treeline.webSocket<Status>('subscription { deviceStatusChanged { status device { endpoint } } }');
    await until(
      statuses,
      ({ deviceStatusChanged: { status, device } }) => status === 'ONLINE' && device.endpoint === endpoint,
    );
  }

  it(etsName(6, 'simulated device', '1.1 over UDP'), async () => {
    const endpoint = 'urn:imei:490154203237606';
    const registered = online(endpoint);
    const device = runDevice(treeline.coap, endpoint, '--bootstrap', bootstrap);
    await registered;
    await device.stop();
    // It had an account from the factory, so it never asked.
    expect(device.output()).not.toContain('bootstrap');
    const { device: known } = await treeline.query<{ device: unknown }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { bootstraps(first: 1) { nodes { status } } } }',
      { endpoint },
    );
    expect(known).toEqual({ bootstraps: { nodes: [] } });
  });

  it(etsName(7, 'simulated device', '1.1 over UDP, then DTLS'), async () => {
    const endpoint = 'urn:imei:490154203237607';
    await treeline.query(
      'mutation ($endpoint: String!) { provisionDevice(input: { endpoint: $endpoint, security: { psk: {} } }) { __typename } }',
      { endpoint },
    );
    const registered = online(endpoint);
    const device = runDevice(treeline.coap, endpoint, '--bootstrap', bootstrap);
    // Its account has no key: the server refuses it, and it falls back to the bootstrap server.
    await device.heard(/register → 4\.03/);
    await registered;
    const { device: known } = await treeline.query<{ device: unknown }>(
      `query ($endpoint: String!) {
        device(endpoint: $endpoint) { registration { transport } bootstraps(first: 1) { nodes { status } } }
      }`,
      { endpoint },
    );
    expect(known).toEqual({ registration: { transport: 'DTLS' }, bootstraps: { nodes: [{ status: 'FINISHED' }] } });
    await device.stop();
  });
});
