import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../../src/simulator/index.ts';
import { ADMIN_TOKEN, freshInstallation, type Installation, runTreeline } from './treeline-process.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly version?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

const SOON = { timeout: 30_000, interval: 100 };

/** The log among the output: its lines are JSON. */
function logOf(output: string): Line[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** The samples of a metrics page: names with their labels, and values. Throws for a line that Prometheus refuses. */
function samplesOf(page: string): Map<string, number> {
  const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`;
  const sample = new RegExp(String.raw`^([a-zA-Z_:][\w:]*(?:\{${label}(?:,${label})*\})?) (\S+)$`);
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || /^# (?:HELP|TYPE) [a-zA-Z_:][\w:]* .+$/.test(line)) continue;
    const [, name, value] = sample.exec(line) ?? [];
    if (name === undefined) throw new Error(`no line of a metrics page: ${line}`);
    if (samples.has(name)) throw new Error(`there twice: ${name}`);
    samples.set(name, Number(value));
  }
  return samples;
}

describe('the metrics and the log of a server', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await freshInstallation();
  });
  afterAll(() => installation.drop());

  it('show what happened, from the start to a planned stop with 21 devices, without an error', async () => {
    const treeline = await runTreeline(installation.settings);
    const first = samplesOf(await treeline.metrics());
    const types = [...(await treeline.metrics()).matchAll(/^# TYPE (treeline_\S+) (\S+)$/gm)];
    // These have labels that only their events know.
    const later = ['treeline_dtls_handshakes_total', 'treeline_dtls_alerts_sent_total'].concat(
      ['alerts_received', 'dropped', 'sessions_ended'].map((name) => `treeline_dtls_${name}_total`),
    );
    const without = types.filter(([, name]) => ![...first.keys()].some((sample) => sample.startsWith(name ?? '')));
    expect(without.map(([, name]) => name).filter((name) => !later.includes(name ?? ''))).toEqual([]);
    expect([...first].find(([name]) => name.startsWith('treeline_build_info{version="'))?.[1]).toBe(1);
    expect(first.get('treeline_rpcs_total{outcome="TIMEOUT"}')).toBe(0);
    expect(first.get('treeline_registrations_total{reason="registered"}')).toBe(0);

    const fleet = new Fleet({
      endpoint: 'urn:imei:many',
      count: 21,
      accounts: [{ server: treeline.coap, shortServerId: 123, lifetime: 300 }],
      objects: [3303, 3304, 3323],
      driftMs: 500,
    });
    await fleet.start();
    const { device } = await treeline.query<{ device: { id: string } }>(
      'query FindDevice { device(endpoint: "urn:imei:many-1") { id } }',
    );
    await treeline.query(
      `mutation ReadModel($id: ID!) {
        readResources(input: { deviceId: $id, paths: ["/3/0/1"] }) { ... on ReadResourcesPayload { rpc { status } } }
      }`,
      { id: device.id },
    );
    const count = async (name: string): Promise<number> => samplesOf(await treeline.metrics()).get(name) ?? 0;
    await expect.poll(() => count('treeline_registrations_total{reason="registered"}'), SOON).toBe(21);
    await expect.poll(() => count('treeline_telemetry_points_total'), SOON).toBeGreaterThan(100);
    const samples = samplesOf(await treeline.metrics());
    expect(Object.fromEntries(samples)).toMatchObject({
      'treeline_rpcs_total{outcome="SUCCESSFUL"}': 1,
      'treeline_rpc_duration_seconds_count{outcome="SUCCESSFUL"}': 1,
      'treeline_graphql_operations_total{operation="FindDevice",type="query",outcome="ok"}': 1,
      'treeline_graphql_operation_duration_seconds_count{operation="ReadModel"}': 1,
      'treeline_http_requests_total{path="/graphql",status="2xx"}': 2,
      'treeline_http_request_duration_seconds_count{path="/graphql"}': 2,
    });

    expect(await treeline.stop()).toBe(0);
    await Promise.all(fleet.devices.map((simulated) => simulated.vanish()));
    const log = logOf(treeline.output());
    expect(log.filter(({ level }) => level >= 40)).toEqual([]);
    expect(log.map(({ msg }) => msg)).toEqual(['Treeline starts', 'Treeline stops', 'Treeline has stopped']);
    const [start] = log;
    expect(start?.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(start?.settings).toMatchObject({ TREELINE_ADMIN_TOKEN: '(set)', TREELINE_TELEMETRY_RETENTION_DAYS: '30' });
    expect(treeline.output()).not.toContain(ADMIN_TOKEN);
  }, 180_000);
});
