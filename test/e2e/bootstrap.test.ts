import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runTreeline, until, type TreelineProcess } from './treeline-process.ts';

const ENDPOINT = 'urn:imei:490154203237526';

describe('the simulated device with only a bootstrap server', () => {
  let treeline: TreelineProcess;
  beforeAll(async () => {
    treeline = await runTreeline();
  });
  afterAll(() => treeline?.stop());

  it('gets its server and a new key, and registers with them over DTLS', async () => {
    const [, bootstrap = ''] = /Bootstrap\s+(coap:\S+)/.exec(treeline.output()) ?? [];
    const { deviceProfiles } = await treeline.query<{ deviceProfiles: { edges: { node: { id: string } }[] } }>(
      '{ deviceProfiles(first: 1) { edges { node { id } } } }',
    );
    await treeline.query(
      `mutation ($profileId: ID!, $uri: String!) {
        setBootstrapPlan(input: { profileId: $profileId, plan: { server: { uri: $uri } } }) { __typename }
      }`,
      {
        profileId: deviceProfiles.edges[0]?.node.id,
        uri: `coaps://${treeline.coaps.host}:${treeline.coaps.port}`,
      },
    );
    const changes = treeline.webSocket<{ bootstrapChanged: { status: string; endpoint: string; steps: object[] } }>(
      'subscription { bootstrapChanged { status endpoint steps { operation } } }',
    );
    const finished = until(changes, ({ bootstrapChanged }) => bootstrapChanged.status === 'FINISHED');
    const statuses = treeline.webSocket<{ deviceStatusChanged: { status: string } }>(
      'subscription { deviceStatusChanged { status } }',
    );
    const online = until(statuses, ({ deviceStatusChanged }) => deviceStatusChanged.status === 'ONLINE');
    const flags = ['--bootstrap', bootstrap, '--endpoint', ENDPOINT, '--quiet'];
    const device = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'device', ...flags], { stdio: 'ignore' });
    const exited = once(device, 'exit');
    try {
      expect((await finished).bootstrapChanged).toMatchObject({ endpoint: ENDPOINT });
      await online;
      const { device: known } = await treeline.query<{ device: unknown }>(
        `query ($endpoint: String!) {
          device(endpoint: $endpoint) { registration { transport lifetime security { kind } } }
        }`,
        { endpoint: ENDPOINT },
      );
      expect(known).toEqual({ registration: { transport: 'DTLS', lifetime: 86_400, security: { kind: 'PSK' } } });
      const metrics = await treeline.metrics();
      expect(metrics).toMatch(/^treeline_coap_datagrams_received_total\{server="bootstrap",transport="udp"\} [1-9]/m);
      expect(metrics).toMatch(/^treeline_dtls_handshakes_total\{server="lwm2m",suite="[^"]+",result="\w+"\} 1$/m);
      expect(metrics).toMatch(/^treeline_dtls_sessions\{server="lwm2m",state="open"\} 1$/m);
    } finally {
      device.kill('SIGINT');
      await exited;
    }
  });
});
