import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { wireDevice, type WireDevice } from '../../server/wire-device.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
const devices: WireDevice[] = [];

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(async () => {
  for (const device of devices) await device.close();
  await world.stop();
});

interface Mapping {
  readonly path: string;
  readonly metric: string;
  readonly kind?: 'NUMERIC' | 'STRING';
}

interface Reported {
  readonly endpoint: string;
  readonly deadLetters: { readonly nodes: readonly Letter[] };
  readonly wantedObservations: readonly { readonly state: string }[];
  readonly telemetry: { readonly nodes: readonly object[] };
}

interface Letter {
  readonly kind: string;
  readonly path: string;
  readonly reason: string;
  readonly contentFormat: number | null;
}

async function profile(name: string, mappings: readonly Mapping[]): Promise<string> {
  const created = await world.data<{ createDeviceProfile: { profile: { id: string } } }>(
    `mutation ($name: String!, $mappings: [MetricMappingInput!]) {
      createDeviceProfile(input: { name: $name, mappings: $mappings }) {
        ... on CreateDeviceProfilePayload { profile { id } } ... on UserError { message } } }`,
    { name, mappings },
  );
  return created.createDeviceProfile.profile.id;
}

/** A device of a profile with these mappings. The test registers it. */
async function deviceOf(endpoint: string, mappings: readonly Mapping[]): Promise<WireDevice> {
  const profileId = await profile(endpoint, mappings);
  await world.data(
    `mutation ($endpoint: String!, $profileId: ID!) {
      provisionDevice(input: { endpoint: $endpoint, profileId: $profileId }) { __typename } }`,
    { endpoint, profileId },
  );
  const device = await wireDevice(world.coapPort);
  devices.push(device);
  return device;
}

/** What the API reports of the device, once `isThere` is true. Each query takes a round trip. */
async function reportOf(endpoint: string, isThere: (report: Reported) => boolean): Promise<Reported> {
  for (;;) {
    const { device } = await world.data<{ device: Reported }>(
      `query ($endpoint: String!) { device(endpoint: $endpoint) {
        endpoint
        deadLetters(first: 50) { nodes { kind path reason contentFormat } }
        wantedObservations { paths reasons state code message }
        telemetry(first: 10) { nodes { numericValues stringValues } } } }`,
      { endpoint },
      world.tokens.admin,
    );
    if (isThere(device)) return device;
  }
}

const hasLetter = ({ deadLetters }: Reported): boolean => deadLetters.nodes.length > 0;
const isRefused = ({ wantedObservations }: Reported): boolean =>
  wantedObservations.some(({ state }) => state === 'REFUSED');
/** TLV (Core 1.2 §7.4.3) of one resource with the id 1 and three bytes. */
const UNKNOWN_TYPE = Uint8Array.of(0xc3, 1, 1, 2, 3);

describe('a mapped resource that can’t become a metric is reported on its device', () => {
  it('when its type is unknown, in TLV without a definition', async () => {
    const device = await deviceOf('reported:tlv', [{ path: '/33999/0/1', metric: 'unknown' }]);
    device.contents.set('/33999/0/1', { contentFormat: 11542, payload: UNKNOWN_TYPE });
    expect(await device.register(['ep=reported:tlv', 'lt=300', 'lwm2m=1.1'], '</1/0>,</33999/0>')).toBe('2.01');
    const report = await reportOf('reported:tlv', hasLetter);
    expect(report.deadLetters.nodes).toEqual([
      { kind: 'READING', path: '/33999/0/1', reason: 'opaque', contentFormat: null },
    ]);
    expect(report.telemetry.nodes).toEqual([]);
  });

  it('when it is opaque, in a Send', async () => {
    const device = await deviceOf('reported:opaque', [{ path: '/33999/0/2', metric: 'bytes' }]);
    await device.register(['ep=reported:opaque', 'lt=300', 'lwm2m=1.1'], '</1/0>,</33999/0>');
    expect(await device.send(110, '[{"n":"/33999/0/2","vd":"AQID"}]')).toEqual({ code: '2.04', text: '' });
    const { deadLetters } = await reportOf('reported:opaque', hasLetter);
    expect(deadLetters.nodes).toMatchObject([{ kind: 'READING', path: '/33999/0/2', reason: 'opaque' }]);
  });

  it('when a notification has an unknown format', async () => {
    const device = await deviceOf('reported:format', [{ path: '/3303/0/5700', metric: 'temperature' }]);
    device.contents.set('/3303/0/5700', { contentFormat: 0, payload: '21.5' });
    await device.register(['ep=reported:format', 'lt=300', 'lwm2m=1.1'], '</1/0>,</3303/0>');
    await reportOf('reported:format', ({ telemetry }) => telemetry.nodes.length === 1);
    expect(await device.notify('/3303/0/5700', { contentFormat: 4711, payload: '22' })).toBe('ACK');
    const { deadLetters } = await reportOf('reported:format', hasLetter);
    expect(deadLetters.nodes).toEqual([
      { kind: 'PAYLOAD', path: '/3303/0/5700', reason: expect.stringContaining('4711'), contentFormat: 4711 },
    ]);
  });

  it('when the response to the Observe has an unknown format', async () => {
    const device = await deviceOf('reported:first', [{ path: '/3303/0/5700', metric: 'temperature' }]);
    device.contents.set('/3303/0/5700', { contentFormat: 4711, payload: '22' });
    await device.register(['ep=reported:first', 'lt=300', 'lwm2m=1.1'], '</1/0>,</3303/0>');
    const report = await reportOf('reported:first', isRefused);
    expect(report.wantedObservations).toMatchObject([
      { paths: ['/3303/0/5700'], reasons: ['PROFILE'], code: null, message: expect.stringContaining('decoded') },
    ]);
    expect(report.deadLetters.nodes).toMatchObject([
      { path: '/3303/0/5700', reason: expect.stringContaining('4711'), contentFormat: 4711 },
    ]);
  });

  it('when it is NUMERIC and its String is no number', async () => {
    const device = await deviceOf('reported:number', [{ path: '/3/0/0', metric: 'maker', kind: 'NUMERIC' }]);
    device.contents.set('/3/0/0', { contentFormat: 0, payload: 'Treeline' });
    await device.register(['ep=reported:number', 'lt=300', 'lwm2m=1.1'], '</1/0>,</3/0>');
    const { deadLetters } = await reportOf('reported:number', hasLetter);
    expect(deadLetters.nodes).toEqual([
      { kind: 'READING', path: '/3/0/0', reason: 'not-a-number', contentFormat: null },
    ]);
  });

  it('when it is a resource instance and the device speaks LwM2M 1.0', async () => {
    const device = await deviceOf('reported:1.0', [{ path: '/3/0/7/0', metric: 'voltage' }]);
    await device.register(['ep=reported:1.0', 'lt=300', 'lwm2m=1.0'], '</1/0>,</3/0>');
    const { wantedObservations } = await reportOf('reported:1.0', isRefused);
    expect(wantedObservations).toMatchObject([
      { paths: ['/3/0/7/0'], reasons: ['PROFILE'], code: null, message: expect.stringMatching(/LwM2M 1\.1/) },
    ]);
  });

  it('when the device ignores Observe', async () => {
    const device = await deviceOf('reported:ignored', [{ path: '/3303/0/5700', metric: 'temperature' }]);
    device.contents.set('/3303/0/5700', { contentFormat: 0, payload: '21.5' });
    device.unobservable.add('/3303/0/5700');
    await device.register(['ep=reported:ignored', 'lt=300', 'lwm2m=1.1'], '</1/0>,</3303/0>');
    const { wantedObservations } = await reportOf('reported:ignored', isRefused);
    expect(wantedObservations).toMatchObject([
      { paths: ['/3303/0/5700'], code: '2.05', message: expect.stringContaining('did not accept the observation') },
    ]);
  });
});

describe('the error of a Send names the path', () => {
  it.each([
    ['of a value of another type', '{"n":"/3303/0/5700","vs":"warm"}', '/3303/0/5700'],
    ['of an object that is not registered', '{"n":"/9/0/1","v":1}', '/9/0/1'],
    ['of a record without a value', '{"n":"/3303/0/5700"}', '/3303/0/5700'],
    ['of a record with two values', '{"n":"/3303/0/5700","v":1,"vs":"x"}', '/3303/0/5700'],
    ['of a value under the wrong label', '{"n":"/3303/0/5700","v":"x"}', '/3303/0/5700'],
    ['of an invalid base value', '{"bv":"x","n":"/3303/0/5700","v":1}', '/3303/0/5700'],
    ['of bytes that are no base64', '{"n":"/33999/0/2","vd":"%%"}', '/33999/0/2'],
    ['of a time that is no number', '{"n":"/3303/0/5700","v":1,"t":"now"}', '/3303/0/5700'],
    ['of a time out of range', '{"n":"/3303/0/5700","v":1,"t":1e15}', '/3303/0/5700'],
    ['of an instance with a value', '{"n":"/3303/0","v":1}', '/3303/0'],
    ['of a name that is no path', '{"n":"/3303/x","v":1}', '/3303/x'],
    ['of a path that appears twice', '{"n":"/3303/0/5700","v":1},{"n":"/3303/0/5700","v":2}', '/3303/0/5700'],
  ])('%s', async (fault, records, path) => {
    const endpoint = `send:${fault.replaceAll(' ', '-')}`;
    const device = await deviceOf(endpoint, []);
    await device.register([`ep=${endpoint}`, 'lt=300', 'lwm2m=1.1'], '</1/0>,</3303/0>,</33999/0>');
    const { code, text } = await device.send(110, `[${records}]`);
    expect(code).toMatch(/^4\.0[04]$/);
    expect(text).toContain(path);
  });
});

describe('the error of a response names the path', () => {
  it.each([
    ['in TLV', 11542, Uint8Array.of(0xe3, 0x16, 0x44, 1, 2, 3)],
    ['in LwM2M JSON', 11543, '{"bn":"/3303/0/","e":[{"n":"5700","v":"x"}]}'],
    ['in SenML JSON', 110, '[{"bn":"/3303/0/","n":"5700","v":"x"}]'],
  ])('%s', async (format, contentFormat, payload) => {
    const endpoint = `response:${format.replaceAll(' ', '-')}`;
    const device = await deviceOf(endpoint, []);
    device.contents.set('/3303/0', { contentFormat, payload });
    await device.register([`ep=${endpoint}`, 'lt=300', 'lwm2m=1.1'], '</1/0>,</3303/0>');
    const { device: found } = await world.data<{ device: { id: string } }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }',
      { endpoint },
    );
    const { readResources } = await world.data<{ readResources: { rpc: { error: { message: string } } } }>(
      `mutation ($deviceId: ID!) { readResources(input: { deviceId: $deviceId, paths: ["/3303/0"] }) {
        ... on ReadResourcesPayload { rpc { error { message } } } } }`,
      { deviceId: found.id },
    );
    expect(readResources.rpc.error.message).toContain('/3303/0/5700: ');
    const { deadLetters } = await reportOf(endpoint, hasLetter);
    expect(deadLetters.nodes).toMatchObject([{ path: '/3303/0', reason: expect.stringContaining('/3303/0/5700: ') }]);
  });
});
