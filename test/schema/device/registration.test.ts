import { eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { getNamedType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../../schema/index.ts';
import { devices, registrations } from '../../../src/store/index.ts';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { rawDevice, type RawDevice } from '../../server/raw-device.ts';
import { useStore } from '../../store/database.ts';
import { wholeSelection } from '../whole-selection.ts';

const store = useStore();
let world: ApiWorld;
let device: RawDevice;

beforeAll(async () => {
  world = await apiWorld(store(), { limits: { complexity: 1_000_000_000, depth: 100, tokens: 200_000 } });
  device = await rawDevice(world.coapPort);
});
afterAll(async () => {
  await device.close();
  await world.stop();
});

const type = schema.getType('Device');
if (!type) throw new Error('there is no Device');
const whole = wholeSelection(
  getNamedType(type),
  (coordinate, { args }) => {
    if (coordinate === 'Device.resource') return 'path: "/3/0/0"';
    if (coordinate === 'Device.resources') return 'paths: ["/3", "/3303/*/5700"]';
    return args.some(({ name }) => name === 'first') ? 'first: 1' : '';
  },
  new Set(),
);

/** Asks for everything of the device by each query that finds it. */
async function problems(endpoint: string): Promise<unknown> {
  const { body } = await world.ask(
    `query ($endpoint: String!) {
      device(endpoint: $endpoint) ${whole}
      devices(first: 200) { nodes { id registration { lifetime expiresAt binding objects { objectId } } } }
    }`,
    { endpoint },
  );
  return body.errors;
}

/** Uri-Query has at most 255 bytes (RFC 7252 §5.10). */
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const number = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 1e12));
const optional = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<string[]> =>
  fc.oneof(
    fc.constant<string[]>([]),
    value.map((each) => [`${name}=${String(each)}`]),
  );
const query = fc
  .tuple(
    fc.uuid().map((uuid) => [`ep=urn:uuid:${uuid}`]),
    number.map((lifetime) => [`lt=${lifetime}`]),
    fc.constantFrom('1.0', '1.1', '1.2').map((version) => [`lwm2m=${version}`]),
    optional('b', fc.constantFrom('U', 'UQ', 'UT', 'SU', 'UTSNMH')),
    fc.constantFrom<string[]>([], ['Q']),
    optional('sms', fc.stringMatching(/^\+?\d{1,15}$/)),
    optional('pid', fc.constantFrom('6:1234abcd', 'oma:1', 'v:Ω')),
    optional('et', text),
    optional('__proto__', text),
    optional('\0', fc.constantFrom('\0', '\u{1f332}', '\ud7ff')),
  )
  .map((parts) => parts.flat());
const id = fc.oneof(fc.nat(70_000), fc.constantFrom(0, 1, 3, 3303, 65_534, 65_535));
const link = fc.oneof(
  id.map((object) => `</${object}>`),
  fc.tuple(id, id).map(([object, instance]) => `</${object}/${instance}>`),
  fc.tuple(id, number, number).map(([object, major, minor]) => `</${object}>;ver=${major}.${minor}`),
  fc.tuple(id, text).map(([object, value]) => `</${object}>;x="${value.replaceAll(/["\\]/g, '')}"`),
);
const root = fc.oneof(
  fc.constant<string[]>([]),
  fc
    .tuple(fc.constantFrom('/', '/lwm2m', '/Ω', '/\0'), number)
    .map(([path, ct]) => [`<${path}>;rt="oma.lwm2m";ct="110 ${ct}"`]),
);
const links = fc.tuple(root, fc.array(link, { maxLength: 5 })).map((parts) => parts.flat().join(','));

const RESOURCES = ['/3/0/13', '/3/0/9', '/3/0/0', '/3/0/6/0', '/19/0/0/0', '/3303/0/5700', '/3303/0/9999', '/4/0/4'];
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => ({ v })),
  fc.maxSafeInteger().map((v) => ({ v })),
  fc.string({ unit: 'binary', maxLength: 20 }).map((vs) => ({ vs })),
  fc.boolean().map((vb) => ({ vb })),
  fc.constantFrom('AP8', '66:0', '65535:65535').map((vd) => ({ vd })),
);
const time = fc.oneof(
  fc.constant({}),
  fc.double({ min: -8.64e12, max: 8.64e12, noNaN: true }).map((t) => ({ t })),
);
const record = fc
  .tuple(fc.constantFrom(...RESOURCES), value, time)
  .map(([n, valued, timed]) => ({ n, ...valued, ...timed }));

describe('nothing that a device announces makes a query fail', () => {
  it('whatever the parameters and the objects of its Register are', async () => {
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(query, links, async (parameters, objects) => {
        const { code, text: reason } = await device.register(parameters, objects);
        codes.add(code);
        expect([code, reason]).not.toEqual([expect.stringMatching(/^5/), expect.anything()]);
        if (code === '2.01') expect(await problems(parameters[0]?.slice(3) ?? '')).toBeUndefined();
      }),
      {
        numRuns: 40,
        examples: [
          [['ep=largest', 'lt=4294967295', 'lwm2m=1.1'], '</1/0>,</3/0>'],
          [['ep=first-too-large', 'lt=2147483648', 'lwm2m=1.1'], '</>;rt="oma.lwm2m";ct=99999,</3/0>'],
          [['ep=nul', 'lt=300', 'lwm2m=1.1', 'x=\0', '\0=1'], '</\0>;rt="oma.lwm2m",</\0/3/0>'],
        ],
      },
    );
    expect(codes).toContain('2.01');
  });

  it('whatever the values and times of its Sends are', async () => {
    const links = '</1/0>,</3/0>,</19/0>,</3303/0>,</4/0>';
    expect(await device.register(['ep=values', 'lt=300', 'lwm2m=1.1'], links)).toMatchObject({ code: '2.01' });
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 4 }), async (records) => {
        const { code, text: reason } = await device.send(records);
        codes.add(code);
        expect([code, reason]).not.toEqual([expect.stringMatching(/^5/), expect.anything()]);
        expect(await problems('values')).toBeUndefined();
      }),
      { numRuns: 40, examples: [[[{ n: '/3/0/13', v: 2 ** 53 }]], [[{ n: '/3/0/0', vs: '\0\ud800', t: 8.64e12 }]]] },
    );
    expect(codes).toContain('2.04');
  });

  it('and a lifetime of more than 68 years is shown as 68 years', async () => {
    await device.register(['ep=long', 'lt=4294967295', 'lwm2m=1.1'], '</1/0>,</3/0>');
    const { device: found } = await world.data<{ device: { registration: object } }>(
      '{ device(endpoint: "long") { registration { lifetime } } }',
    );
    expect(found.registration).toEqual({ lifetime: 2_147_483_647 });
  });
});

describe('between the storing of the first registration and that of the status', () => {
  it('a device that was never seen has no registration', async () => {
    await device.register(['ep=urn:registered-before', 'lt=300', 'lwm2m=1.1'], '</3/0>');
    const input = { endpoint: 'urn:never-seen' };
    await world.data('mutation ($input: ProvisionDeviceInput!) { provisionDevice(input: $input) { __typename } }', {
      input,
    });
    await store().asSystem(async (tx) => {
      const [stored] = await tx.select().from(registrations).limit(1);
      const [unseen] = await tx.select().from(devices).where(eq(devices.endpoint, input.endpoint));
      if (!stored || !unseen) throw new Error('there is no registration or no device');
      await tx.insert(registrations).values({ ...stored, id: 'first', deviceId: unseen.id });
    });
    const { device: seen } = await world.data(
      '{ device(endpoint: "urn:never-seen") { status registration { binding } } }',
    );
    expect(seen).toEqual({ status: 'NEVER_SEEN', registration: null });
  });
});
