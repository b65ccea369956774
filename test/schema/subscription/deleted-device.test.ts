import { isRequiredArgument, type FormattedExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../../schema/index.ts';
import { apiWorld, dataOf, next, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

interface Made {
  readonly id: string;
  readonly deviceId: string;
}
let made = 0;

async function newDevice(): Promise<Made> {
  const data = await world.data<{ provisionDevice: { device: Made } }>(
    `mutation { provisionDevice(input: { endpoint: "urn:deleted:${++made}" }) {
      ... on ProvisionDevicePayload { device { id deviceId } } } }`,
  );
  return data.provisionDevice.device;
}

async function change(mutation: string): Promise<void> {
  const data = await world.data<Record<string, { __typename: string }>>(
    `mutation { done: ${mutation} { __typename } }`,
  );
  expect(data['done']?.__typename).toMatch(/Payload$/);
}

/** Starts a subscription; resolves when the server has it. */
async function subscribed(
  query: string,
  over: 'overSse' | 'overWebSocket' = 'overSse',
): Promise<{ next: () => Promise<IteratorResult<FormattedExecutionResult>> }> {
  const before = world.server.snapshot().sessions;
  const results = world[over](query);
  // The iterator subscribes at its first call of next().
  let waiting: Promise<IteratorResult<FormattedExecutionResult>> | null = results.next();
  while (world.server.snapshot().sessions === before) await new Promise((resolve) => setImmediate(resolve));
  return {
    next: () => {
      const first = waiting ?? results.next();
      waiting = null;
      return first;
    },
  };
}

const ABOUT_DEVICES = Object.values(schema.getSubscriptionType()?.getFields() ?? {}).filter(({ args }) =>
  args.some(({ name }) => name === 'deviceId'),
);

describe('the deletion of a device', () => {
  it('is an event of deviceStatusChanged, whatever the filter', async () => {
    const { id, deviceId } = await newDevice();
    const events = await subscribed(
      'subscription { deviceStatusChanged(filter: { tags: ["none"] }) { deviceId endpoint status reason device { id } } }',
    );
    await change(`deleteDevice(input: { id: "${id}" })`);
    expect(dataOf(await next(events))).toEqual({
      deviceStatusChanged: {
        deviceId,
        endpoint: `urn:deleted:${made}`,
        status: 'NEVER_SEEN',
        reason: 'DELETED',
        device: null,
      },
    });
  });

  it.each(
    ABOUT_DEVICES.flatMap((field) =>
      (['overSse', 'overWebSocket'] as const).map((over) => [field.name, over] as const),
    ),
  )('ends %s of the device with the reason, %s', async (name, over) => {
    expect(schema.getSubscriptionType()?.getFields()[name]?.args.filter(isRequiredArgument).length).toBeLessThan(2);
    const { id } = await newDevice();
    const events = await subscribed(`subscription { ${name}(deviceId: "${id}") { __typename } }`, over);
    // The first event of this one is the present state.
    if (name === 'resourceChanged') await events.next();
    const others = await subscribed('subscription { deviceStatusChanged { reason } }');
    await change(`deleteDevice(input: { id: "${id}" })`);
    const { value } = await events.next();
    expect(value.errors).toMatchObject([
      { message: `the device "urn:deleted:${made}" was deleted`, extensions: { code: 'DEVICE_DELETED' } },
    ]);
    expect(await events.next()).toMatchObject({ done: true });
    expect(dataOf(await next(others))).toEqual({ deviceStatusChanged: { reason: 'DELETED' } });
  });

  it('leaves no subscriber behind', async () => {
    const before = world.bus.snapshot().subscribers;
    const { id } = await newDevice();
    const events = await subscribed(`subscription { telemetry(deviceId: "${id}") { __typename } }`);
    await change(`deleteDevice(input: { id: "${id}" })`);
    await events.next();
    expect(await events.next()).toMatchObject({ done: true });
    expect(world.bus.snapshot().subscribers).toBe(before);
  });

  it('ends the streams of that device only', async () => {
    const [one, other] = [await newDevice(), await newDevice()];
    const events = await subscribed(`subscription { deviceChanged(deviceId: "${one.id}") { changed } }`);
    await change(`deleteDevice(input: { id: "${other.id}" })`);
    await change(`updateDevice(input: { id: "${one.id}", name: "stays" })`);
    expect(dataOf(await next(events))).toEqual({ deviceChanged: { changed: ['NAME'] } });
  });
});

describe('deviceChanged', () => {
  it('delivers what a person changed, and nothing for an edit that changes nothing', async () => {
    const { id, deviceId } = await newDevice();
    const events = await subscribed(
      'subscription { deviceChanged { deviceId changed at device { name tags updatedAt } } }',
    );
    await change(`updateDevice(input: { id: "${id}", name: "Boiler", tags: ["roof"] })`);
    await change(`updateDevice(input: { id: "${id}", name: "Boiler" })`);
    await change(`updateDevice(input: { id: "${id}", awakeTime: 60 })`);
    const first = dataOf<{ deviceChanged: { at: string } }>(await next(events)).deviceChanged;
    expect(first).toMatchObject({ deviceId, changed: ['NAME', 'TAGS'], device: { name: 'Boiler', tags: ['roof'] } });
    expect(dataOf(await next(events))).toMatchObject({ deviceChanged: { deviceId, changed: ['AWAKE_TIME'] } });
  });

  it('delivers a new registration', async () => {
    const endpoint = `urn:deleted:${++made}`;
    const events = await subscribed(
      'subscription { deviceChanged { changed device { endpoint registration { lifetime } } } }',
    );
    await world.device(endpoint);
    expect(dataOf(await next(events))).toEqual({
      deviceChanged: { changed: ['REGISTRATION'], device: { endpoint, registration: { lifetime: 300 } } },
    });
  });

  it('is not for the devices of another tenant', async () => {
    const { id } = await newDevice();
    const query = `subscription { deviceChanged(deviceId: "${id}") { changed } }`;
    const { errors } = await next(world.overSse(query, {}, world.tokens.other));
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});
