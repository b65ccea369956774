import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
beforeAll(() => otherTenant(store()));
afterEach(() => world.stop());

const PID = '6:1234abcd';

async function register(device: Device, endpoint: string, pid: string, links?: string): Promise<string> {
  const messageId = device.scripted.send({
    method: 'POST',
    path: '/rd',
    query: [`ep=${endpoint}`, 'lt=300', 'lwm2m=1.2', 'b=U', `pid=${pid}`],
    ...(links !== undefined && { contentFormat: 40, payload: links }),
  });
  await world.advance(40);
  return device.scripted.answerTo(messageId).code;
}

/** `3303/1.1: 0 1` */
async function objects(endpoint: string): Promise<string[]> {
  const device = await world.fleet.devices.get(ADMIN, { endpoint });
  if (!device) return [];
  const registration = (await world.fleet.devices.registrations(ADMIN, [device.id])).get(device.id);
  return (registration?.objects ?? []).map(
    ({ objectId, version, instanceIds }) => `${objectId}/${version}: ${instanceIds.join(' ')}`,
  );
}

describe('a Profile ID', () => {
  it('stands for its objects when a device registers with it alone (LightweightM2M-1.2-int-110)', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    expect(await register(device, 'urn:pid', PID)).toBe('4.09');
    await world.fleet.registrationProfiles.set(ADMIN, { profileId: PID, links: '</1/0>,</3/0>,</3303/0>;ver=1.1' });
    expect(await register(device, 'urn:pid', PID)).toBe('2.01');
    expect(await objects('urn:pid')).toEqual(['1/1.2: 0', '3/1.2: 0', '3303/1.1: 0']);
  });

  it('goes together with the list that comes along (LightweightM2M-1.2-int-111)', async () => {
    world = await fleetWorld(store());
    await world.fleet.registrationProfiles.set(ADMIN, { profileId: PID, links: '</1/0>,</3/0>' });
    expect(await register(world.device(), 'urn:pid:list', PID, '</3303/0>,</3303/1>')).toBe('2.01');
    expect(await objects('urn:pid:list')).toEqual(['1/1.2: 0', '3/1.2: 0', '3303/1.0: 0 1']);
  });

  it('stands for something else once it is set anew, and for nothing when it is deleted', async () => {
    world = await fleetWorld(store());
    const { registrationProfiles } = world.fleet;
    await registrationProfiles.set(ADMIN, { profileId: 'v:pump', links: '</3/0>' });
    await registrationProfiles.set(ADMIN, { profileId: 'v:pump', links: '</4/0>' });
    expect(await register(world.device(), 'urn:pid:anew', 'v:pump')).toBe('2.01');
    expect(await objects('urn:pid:anew')).toEqual(['4/1.3: 0']);
    expect(await registrationProfiles.delete(ADMIN, 'v:pump')).toMatchObject({ links: '</4/0>' });
    expect(await register(world.device(), 'urn:pid:deleted', 'v:pump')).toBe('4.09');
    await expect(registrationProfiles.delete(ADMIN, 'v:pump')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // Who is registered stays so.
    expect(await objects('urn:pid:anew')).toEqual(['4/1.3: 0']);
  });

  it('is one tenant’s: to another it stands for nothing', async () => {
    world = await fleetWorld(store());
    const { registrationProfiles } = world.fleet;
    await registrationProfiles.set(OTHER, { profileId: 'oma:theirs', links: '</3/0>' });
    expect(await register(world.device(), 'urn:pid:theirs', 'oma:theirs')).toBe('4.09');
    await expect(registrationProfiles.delete(ADMIN, 'oma:theirs')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const ids = async (actor: typeof ADMIN): Promise<string[]> =>
      (await registrationProfiles.page(actor, { first: 10 })).edges.map(({ node }) => node.profileId);
    expect(await ids(ADMIN)).not.toContain('oma:theirs');
    expect(await ids(OTHER)).toEqual(['oma:theirs']);
  });
});

describe('what is stored of Profile IDs', () => {
  it('is listed by id, forwards and backwards', async () => {
    world = await fleetWorld(store());
    const { registrationProfiles } = world.fleet;
    for (const id of ['1', '2', '3']) await registrationProfiles.set(OTHER, { profileId: `6:${id}`, links: '</3/0>' });
    const first = await registrationProfiles.page(OTHER, { first: 2 });
    expect(first.edges.map(({ node }) => node.profileId)).toEqual(['6:1', '6:2']);
    const rest = await registrationProfiles.page(OTHER, { first: 9, after: first.edges[1]?.cursor ?? null });
    expect(rest.edges.map(({ node }) => node.profileId)).toEqual(['6:3', 'oma:theirs']);
    const last = await registrationProfiles.page(OTHER, { last: 3 });
    expect(last.edges.map(({ node }) => node.profileId)).toEqual(['6:2', '6:3', 'oma:theirs']);
  });

  it.each([
    ['an id that no Register can say', { profileId: '6:ABCD', links: '</3/0>' }, 'profileId'],
    ['an id with a control character', { profileId: 'oma:\0', links: '</3/0>' }, 'profileId'],
    ['what is no link format', { profileId: PID, links: '/3/0' }, 'links'],
    ['an id that LwM2M reserves', { profileId: PID, links: '</3/0>,</3/65535>' }, 'links'],
    ['the object of keys', { profileId: PID, links: '</3/0>,</0/0>' }, 'links'],
    ['no object', { profileId: PID, links: '</>;rt="oma.lwm2m"' }, 'links'],
    ['too long a list', { profileId: PID, links: `</3/0>${',</3303/0>'.repeat(2_000)}` }, 'links'],
  ])('is refused: %s', async (_what, input, field) => {
    world = await fleetWorld(store());
    const set = world.fleet.registrationProfiles.set(ADMIN, input);
    await expect(set).rejects.toMatchObject({ code: 'VALIDATION', field: [field] });
  });

  it('is changed by admins only', async () => {
    world = await fleetWorld(store());
    const operator = { ...ADMIN, role: 'operator' } as const;
    const { registrationProfiles } = world.fleet;
    const profile = { profileId: PID, links: '</3/0>' };
    await expect(registrationProfiles.set(operator, profile)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(registrationProfiles.delete(operator, PID)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
