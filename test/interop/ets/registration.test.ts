import { expect, it } from 'vitest';
import { type CoapAnswer, coapClient, requirePeer } from '../peers/index.ts';
import { etsName } from './catalogue.ts';
import {
  bindingOf,
  enter,
  LESHAN_1_1,
  nameOf,
  type Play,
  playAll,
  REGISTERED,
  ROLES,
  SIMULATED_1_1,
  SIMULATED_1_2,
  stage,
  TCP_ROLES,
  UPDATED,
} from './stage.ts';

const LIFETIME = '/1/0/1';
const DISABLE = '/1/0/4';
const DISABLE_TIMEOUT = '/1/0/5';
const UPDATE_TRIGGER = '/1/0/8';

/** Seconds that a sleepy device is awake, and that its registration lasts: shorter than in the list, for nobody to wait. */
const AWAKE = 2;
const SHORT_LIFETIME = 4;

const LIST: readonly Play[] = [
  {
    number: 101,
    async play({ device, role }) {
      const registration = await device.registration();
      expect(registration).toMatchObject({
        location: expect.stringMatching(/^rd\/[\x21-\x7e]{1,16}$/),
        lifetime: 300,
        lwm2mVersion: role.lwm2m,
        binding: bindingOf(role),
        queueMode: false,
        objects: expect.arrayContaining([
          { objectId: 1, instanceIds: [0] },
          { objectId: 3, instanceIds: [0] },
        ]),
      });
    },
  },
  {
    number: 104,
    async play({ device, peer }) {
      const before = await device.registration();
      const since = peer.mark();
      expect(await device.execute(UPDATE_TRIGGER)).toMatchObject({ code: '2.04' });
      await peer.waitFor(UPDATED, { since });
      const after = await device.registration();
      expect(after?.['location']).toBe(before?.['location']);
      expect(Date.parse(String(after?.['expiresAt']))).toBeGreaterThan(Date.parse(String(before?.['expiresAt'])));
    },
  },
  {
    number: 106,
    by: TCP_ROLES,
    over: 'TCP',
    async play({ device }) {
      expect(await device.registration()).toMatchObject({ transport: 'TCP', binding: 'T' });
      expect(await device.read(['/3/0/0'])).toMatchObject({ code: '2.05' });
    },
  },
  {
    number: 107,
    async play({ device, peer }) {
      const since = peer.mark();
      expect(await device.write({ [LIFETIME]: 900 })).toMatchObject({ code: '2.04' });
      await peer.waitFor(UPDATED, { since });
      const registration = await device.registration();
      expect(registration).toMatchObject({ lifetime: 900 });
      expect(Date.parse(String(registration?.['expiresAt'])) - Date.now()).toBeGreaterThan(800_000);
    },
  },
  {
    number: 103,
    // The client of Leshan 1 has no Disable.
    by: ROLES.filter(({ client, lwm2m }) => client !== 'Leshan' || lwm2m !== '1.0'),
    async play({ device, peer }) {
      expect(await device.write({ [DISABLE_TIMEOUT]: 2 })).toMatchObject({ code: '2.04' });
      const since = peer.mark();
      expect(await device.execute(DISABLE)).toMatchObject({ code: '2.04' });
      await peer.waitFor(/^DEREGISTERED |deregister → 2\.02$/, { since });
      await device.reaches('OFFLINE');
      expect(await device.registration()).toBeNull();
      await peer.waitFor(REGISTERED, { since });
      await device.reaches('ONLINE');
    },
  },
];

requirePeer('leshan', 'libcoap')('the registration cases of the interoperability list', () => {
  const treeline = stage();

  playAll(treeline, LIST);

  it.each(ROLES.map((role) => [nameOf(102, role), role] as const))('%s', async (_, role) => {
    const { device, peer } = await enter(treeline(), role, { lifetime: SHORT_LIFETIME, period: 1 });
    await peer.waitFor(UPDATED);
    expect(await device.registration()).toMatchObject({ lifetime: SHORT_LIFETIME });
    await peer.kill();
    // It did not de-register: the server itself ends what is not updated.
    await device.reaches('OFFLINE');
    // Over TCP it is OFFLINE as soon as its connection has ended.
    await expect.poll(() => device.registration(), { timeout: 20_000 }).toBeNull();
  });

  it(nameOf(105, LESHAN_1_1), async () => {
    const { device, peer } = await enter(treeline(), LESHAN_1_1);
    const since = peer.mark();
    await forget(device.id);
    peer.write('update');
    await peer.waitFor(/^UPDATE FAILED .*404/, { since });
    await peer.waitFor(REGISTERED, { since });
    await peer.stop();
  });

  it(nameOf(105, SIMULATED_1_2), async () => {
    const { device, peer } = await enter(treeline(), SIMULATED_1_2, { lifetime: SHORT_LIFETIME });
    const since = peer.mark();
    await forget(device.id);
    await peer.waitFor(/update → 4\.04/, { since });
    await peer.waitFor(REGISTERED, { since });
    await peer.stop();
  });

  it(etsName(105, 'libcoap', '1.1 over UDP'), async () => {
    const { host, port } = treeline().coap;
    const answer = await coapClient({ method: 'post', uri: `coap://${host}:${port}/rd/gone?lt=300` });
    expect(answer.error).toBe('4.04');
  });

  it.each([LESHAN_1_1, SIMULATED_1_1, SIMULATED_1_2].map((role) => [nameOf(108, role), role] as const))(
    '%s',
    async (_, role) => {
      const { device, peer } = await enter(treeline(), role, { queue: true });
      expect(await device.registration()).toMatchObject({ queueMode: true, binding: 'U' });
      await peer.stop();
    },
  );

  it.each([LESHAN_1_1, SIMULATED_1_1, SIMULATED_1_2].map((role) => [nameOf(109, role), role] as const))(
    '%s',
    async (_, role) => {
      const { device, peer } = await enter(treeline(), role, {
        queue: true,
        awakeTime: AWAKE,
        lifetime: 20,
        period: 10,
        simulated: ['--awake', String(AWAKE)],
      });
      await device.reaches('SLEEPING');
      const since = peer.mark();
      const held = await device.readWhenAwake(['/3/0/2']);
      expect(await device.rpc(held)).toMatchObject({ status: 'QUEUED', result: null });
      await peer.waitFor(UPDATED, { since });
      const { result } = await device.rpcReaches(held, 'SUCCESSFUL');
      expect(result).toMatchObject({ code: '2.05', values: [{ path: '/3/0/2', value: expect.stringMatching(/./) }] });
      await peer.stop();
    },
  );

  it(etsName(110, 'libcoap', '1.2 over UDP'), async () => {
    const profile = 'pid=6:1a2b3c4d';
    expect((await register('ets-110', profile)).error).toBe('4.09');
    await standsFor('6:1a2b3c4d', '</1/0>,</3/0>,</3303/0>');
    const answer = await register('ets-110', profile);
    expect(answer.error).toBeNull();
    expect(answer.log.some((line) => /c:2\.01/.test(line))).toBe(true);
    expect(await objectsOf('ets-110')).toEqual([1, 3, 3303]);
  });

  it(etsName(111, 'libcoap', '1.2 over UDP'), async () => {
    await standsFor('6:5e6f7081', '</1/0>,</3/0>');
    const answer = await register('ets-111', 'pid=6:5e6f7081', '</6/0>,</3303/0>');
    expect(answer.error).toBeNull();
    expect(await objectsOf('ets-111')).toEqual([1, 3, 6, 3303]);
  });

  function register(endpoint: string, profile: string, links?: string): Promise<CoapAnswer> {
    const { host, port } = treeline().coap;
    const uri = `coap://${host}:${port}/rd?ep=${endpoint}&lt=300&lwm2m=1.2&b=U&${profile}`;
    return coapClient({ method: 'post', uri, ...(links === undefined ? {} : { contentFormat: 40, payload: links }) });
  }

  async function standsFor(profileId: string, links: string): Promise<void> {
    const { setRegistrationProfile } = await treeline().query<{ setRegistrationProfile: { __typename: string } }>(
      'mutation ($input: SetRegistrationProfileInput!) { setRegistrationProfile(input: $input) { __typename } }',
      { input: { profileId, links } },
    );
    expect(setRegistrationProfile.__typename).toBe('SetRegistrationProfilePayload');
  }

  async function objectsOf(endpoint: string): Promise<number[]> {
    const { device } = await treeline().query<{ device: { registration: { objects: { objectId: number }[] } } }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { registration { objects { objectId } } } }',
      { endpoint },
    );
    return device.registration.objects.map(({ objectId }) => objectId);
  }

  /** The server forgets the device and its registration; the device does not know. */
  async function forget(id: string): Promise<void> {
    const { deleteDevice } = await treeline().query<{ deleteDevice: { __typename: string } }>(
      'mutation ($id: ID!) { deleteDevice(input: { id: $id }) { __typename } }',
      { id },
    );
    expect(deleteDevice.__typename).toBe('DeleteDevicePayload');
  }
});
