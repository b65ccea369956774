import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { rawDevice } from '../../server/raw-device.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

const SERVER = { uri: 'coaps://lwm2m.example.com:5684' };
const ERRORS = '... on UserError { message } ... on ValidationError { field }';
let count = 0;

async function provisioned(): Promise<string> {
  const { provisionDevice } = await world.data<{ provisionDevice: { device: { id: string } } }>(
    `mutation ($endpoint: String!) { provisionDevice(input: { endpoint: $endpoint }) {
      ... on ProvisionDevicePayload { device { id } }
    } }`,
    { endpoint: `planned-${count++}` },
  );
  return provisionDevice.device.id;
}

async function set(deviceId: string, plan: object): Promise<unknown> {
  const { setBootstrapPlan } = await world.data(
    `mutation ($input: SetBootstrapPlanInput!) { setBootstrapPlan(input: $input) {
      __typename ... on SetBootstrapPlanPayload { plan {
        keyLength server { securityInstanceId serverInstanceId }
      } } ${ERRORS}
    } }`,
    { input: { deviceId, plan } },
  );
  return setBootstrapPlan;
}

describe('a bootstrap plan', () => {
  it('has instances that a bootstrap account is unlikely to have, and keys of 32 bytes, by default', async () => {
    expect(await set(await provisioned(), { server: SERVER })).toMatchObject({
      plan: { keyLength: 32, server: { securityInstanceId: 100, serverInstanceId: 100 } },
    });
  });

  it('keeps the instances and the length of keys that it is given', async () => {
    const server = { ...SERVER, securityInstanceId: 0, serverInstanceId: 65_534 };
    expect(await set(await provisioned(), { server, keyLength: 16 })).toMatchObject({
      plan: { keyLength: 16, server: { securityInstanceId: 0, serverInstanceId: 65_534 } },
    });
  });

  it.each([
    [{ server: SERVER, keyLength: 24 }, ['plan', 'keyLength'], '24'],
    [{ server: { ...SERVER, securityInstanceId: 65_535 } }, ['plan', 'server', 'securityInstanceId'], '65535'],
    [{ server: { ...SERVER, serverInstanceId: -1 } }, ['plan', 'server', 'serverInstanceId'], '-1'],
    [{ server: SERVER, values: [{ path: '/1/0/2', value: 60 }] }, ['plan', 'values'], '/1/100'],
    [{ server: SERVER, values: [{ path: '/0/1/3', value: 'AAAA' }] }, ['plan', 'values'], '/0/100'],
  ])('refuses %j', async (plan, field, named) => {
    const refused = { __typename: 'ValidationError', field, message: expect.stringContaining(named) };
    expect(await set(await provisioned(), plan)).toEqual(refused);
  });
});

async function requestBootstrap(endpoint: string, links: string, input: object = {}) {
  const device = await rawDevice(world.coapPort);
  expect(await device.register([`ep=${endpoint}`, 'lt=300', 'lwm2m=1.1'], links)).toMatchObject({ code: '2.01' });
  const { device: found } = await world.data<{ device: { id: string } }>(
    'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }',
    { endpoint },
  );
  const answer = await world.data(
    `mutation ($input: RequestBootstrapInput!) { requestBootstrap(input: $input) {
      __typename ... on RequestBootstrapPayload { rpc { params } } ${ERRORS}
    } }`,
    { input: { deviceId: found.id, rpcMode: 'ONE_WAY', ...input } },
  );
  await device.close();
  return answer['requestBootstrap'];
}

describe('requestBootstrap', () => {
  it.each([
    ['the only Server instance of the registration', '</1/100>,</3/0>', '/1/100/9'],
    ['instance 0 if the registration lists none', '</3/0>', '/1/0/9'],
  ])('executes the trigger of %s', async (_what, links, path) => {
    const answer = await requestBootstrap(`asked-${count++}`, links);
    expect(answer).toMatchObject({ rpc: { params: { path } } });
  });

  it('asks which instance of several', async () => {
    const links = '</1/0>,</1/7>,</3/0>';
    expect(await requestBootstrap(`asked-${count++}`, links)).toEqual({
      __typename: 'ValidationError',
      field: ['serverInstanceId'],
      message: expect.stringContaining('0, 7'),
    });
    expect(await requestBootstrap(`asked-${count++}`, links, { serverInstanceId: 7 })).toMatchObject({
      rpc: { params: { path: '/1/7/9' } },
    });
  });
});
