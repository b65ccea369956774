import { beforeEach, describe, expect, it } from 'vitest';
import type { SecurityIdentity } from '../../../src/coap/index.ts';
import { DEFAULT_TENANT, type DeviceId, type TenantId } from '../../../src/fleet/access/index.ts';
import type { CredentialHolder } from '../../../src/fleet/credentials/index.ts';
import { type Device, endpointProblem } from '../../../src/fleet/devices/index.ts';
import { type AdmissionParts, createAdmission } from '../../../src/fleet/presence/admission.ts';
import { type Admission, type RegisterRequest, registryModel } from '../../../src/lwm2m/index.ts';
import type { Store, Transaction } from '../../../src/store/index.ts';

const ACME = 'acme' as TenantId; // a test's tenant is what it is called
const MODEL = registryModel();

/** Devices by tenant and endpoint. */
let devices: Map<string, Device>;
let holders: Map<string, CredentialHolder>;
let secured: Set<string>;
let awakeTime: number | null;
/** Each look-up: what was looked up together. */
let lookUps: string[];

beforeEach(() => {
  devices = new Map();
  holders = new Map();
  secured = new Set();
  awakeTime = null;
  lookUps = [];
});

function known(tenantId: TenantId, endpoint: string): Device {
  const device: Device = {
    id: `id of ${endpoint}` as DeviceId, // no test reads it as a UUID
    tenantId,
    endpoint,
    name: null,
    tags: [],
    profileId: 'profile',
    status: 'NEVER_SEEN',
    lastSeen: null,
    awakeTime: null,
    measuredAwakeTime: null,
    awakeMeasuredAt: null,
    createdAt: new Date(0),
    updatedAt: new Date(0),
  };
  devices.set(`${tenantId} ${endpoint}`, device);
  return device;
}

function holder(credentialId: string, tenantId: TenantId, endpoint: string): void {
  const deviceId = `id of ${endpoint}` as DeviceId; // as above
  holders.set(credentialId, { credentialId, tenantId, deviceId, endpoint });
}

function admission(autoProvision = false): (request: RegisterRequest) => Promise<Admission> {
  const tx = {} as Transaction; // the parts below need no database
  const store: Pick<Store, 'asTenant'> = {
    async asTenant(tenantId, work) {
      lookUps.push(`secured ${tenantId}`);
      return work(tx);
    },
  };
  const parts: Omit<AdmissionParts, 'store' | 'awakeTimes'> = {
    provisioning: {
      provision: () => Promise.reject(new Error('a Register provisions by its endpoint')),
      claim: () => Promise.reject(new Error('a Register claims no device')),
      async ofEndpoints(tenantId, endpoints) {
        lookUps.push(`devices ${tenantId} ${endpoints.join()}`);
        return endpoints.map((endpoint) => devices.get(`${tenantId} ${endpoint}`) ?? null);
      },
      async add(tenantId, newcomers) {
        lookUps.push(`devices ${tenantId} ${newcomers.map(({ endpoint }) => endpoint).join()}`);
        return newcomers.map(({ endpoint }) => devices.get(`${tenantId} ${endpoint}`) ?? known(tenantId, endpoint));
      },
    },
    credentials: {
      async holders(ids) {
        lookUps.push(`holders ${ids.join()}`);
        return holders;
      },
      async secured(_tx, ids) {
        lookUps.push(`of ${ids.join()}`);
        return new Set(ids.filter((id) => secured.has(id)));
      },
    },
    modelOf: () => MODEL,
    autoProvision: autoProvision ? { perNetwork: 10, total: 10 } : null,
  };
  const awakeTimes = { of: async () => awakeTime };
  // Admission uses no more of the two than this.
  return createAdmission({ ...parts, store, awakeTimes } as unknown as AdmissionParts);
}

function register(endpoint: string | null, credential?: string): RegisterRequest {
  const security: SecurityIdentity | null =
    credential === undefined ? null : { kind: 'psk', name: 'the identity', credential };
  return { endpoint, lwm2mVersion: '1.2', peer: { key: 'peer', address: '192.0.2.7', port: 5_683, security } };
}

function admittedAs(tenantId: TenantId, endpoint: string): Admission {
  return { admitted: true, deviceKey: `${tenantId}/id of ${endpoint}`, endpoint, model: MODEL };
}

function refused(code: '4.00' | '4.03'): object {
  return { admitted: false, code };
}

describe('a Register over NoSec', () => {
  it('is admitted as the device of the default tenant that has the endpoint name', async () => {
    known(DEFAULT_TENANT, 'meter');
    expect(await admission()(register('meter'))).toEqual(admittedAs(DEFAULT_TENANT, 'meter'));
  });

  it('makes a device of an unknown endpoint name where devices provision themselves', async () => {
    expect(await admission(true)(register('new'))).toEqual(admittedAs(DEFAULT_TENANT, 'new'));
  });

  it('is refused with 4.03 for an unknown endpoint name where they do not', async () => {
    expect(await admission(false)(register('new'))).toMatchObject(refused('4.03'));
  });

  it('is refused with 4.03 for the device of another tenant', async () => {
    known(ACME, 'theirs');
    expect(await admission()(register('theirs'))).toMatchObject(refused('4.03'));
  });

  it('is refused with 4.03 for a device that has credentials', async () => {
    const { id } = known(DEFAULT_TENANT, 'guarded');
    known(DEFAULT_TENANT, 'open');
    secured.add(id);
    const admit = admission();
    expect(await Promise.all([admit(register('guarded')), admit(register('open'))])).toMatchObject([
      refused('4.03'),
      admittedAs(DEFAULT_TENANT, 'open'),
    ]);
  });

  it.each(['a\u200Bb', 'a\u202Eb', 'a\u2066b', 'a\uFEFFb', 'a\u00ADb', 'a\u2028b', 'a\u{E0041}b'])(
    'is refused with 4.00 for the endpoint name %j, in which a character can’t be seen',
    async (endpoint) => {
      const code = endpoint.codePointAt(1)?.toString(16).toUpperCase().padStart(4, '0');
      expect(await admission(true)(register(endpoint))).toMatchObject({
        ...refused('4.00'),
        reason: expect.stringContaining(`U+${code}`),
      });
    },
  );

  it('finds the device of a name in another normalization form', async () => {
    known(DEFAULT_TENANT, 'caf\u00E9');
    expect(await admission()(register('cafe\u0301'))).toMatchObject(admittedAs(DEFAULT_TENANT, 'caf\u00E9'));
  });

  it.each([null, '', 'with\ncontrol', 'x'.repeat(1_000)])(
    'is refused with 4.00 for an endpoint name that is none (%#)',
    async (endpoint) => {
      const reason = endpointProblem(endpoint ?? '');
      expect(await admission(true)(register(endpoint))).toEqual({
        admitted: false,
        code: '4.00',
        cause: 'MALFORMED',
        reason,
      });
      expect(lookUps).toEqual([]);
    },
  );

  it('is looked up together with those that come at the same time', async () => {
    for (const endpoint of ['a', 'b']) known(DEFAULT_TENANT, endpoint);
    const admit = admission();
    await Promise.all(['a', 'unknown', 'b'].map((endpoint) => admit(register(endpoint))));
    expect(lookUps).toEqual(['devices default a,unknown,b', 'secured default', 'of id of a,id of b']);
  });

  it('is looked up after an earlier one of the same endpoint name, not in one statement', async () => {
    const admit = admission(true);
    await Promise.all([admit(register('a')), admit(register('a'))]);
    expect(lookUps.filter((one) => one.startsWith('devices'))).toEqual(['devices default a', 'devices default a']);
  });
});

describe('a Register with a credential', () => {
  beforeEach(() => {
    known(ACME, 'meter');
    holder('credential', ACME, 'meter');
  });

  it.each(['meter', null])('is admitted as the device of the credential (endpoint name %s)', async (endpoint) => {
    expect(await admission()(register(endpoint, 'credential'))).toEqual(admittedAs(ACME, 'meter'));
  });

  it('is admitted though the device has credentials', async () => {
    secured.add('id of meter');
    expect(await admission()(register('meter', 'credential'))).toMatchObject({ admitted: true });
  });

  it('is refused with 4.00 under another endpoint name (Core 1.2 §6.2.1)', async () => {
    known(ACME, 'other');
    for (const endpoint of ['other', '']) {
      expect(await admission(true)(register(endpoint, 'credential'))).toMatchObject(refused('4.00'));
    }
  });

  it('is refused with 4.03 when the credential no longer counts', async () => {
    expect(await admission(true)(register('meter', 'revoked'))).toMatchObject(refused('4.03'));
  });

  it('is refused with 4.03 when the device is gone, and makes none', async () => {
    devices.clear();
    expect(await admission(true)(register('meter', 'credential'))).toMatchObject(refused('4.03'));
    expect(devices.size).toBe(0);
  });

  it('is looked up together with those of the same tenant that come at the same time', async () => {
    known(ACME, 'second');
    known(DEFAULT_TENANT, 'third');
    holder('c2', ACME, 'second');
    holder('c3', DEFAULT_TENANT, 'third');
    const admit = admission();
    await Promise.all(['credential', 'c2', 'c3'].map((credential) => admit(register(null, credential))));
    expect(lookUps).toEqual(['holders credential,c2,c3', 'devices acme meter,second', 'devices default third']);
  });

  it('is looked up after an earlier one of the same device, not in one statement', async () => {
    const admit = admission();
    await Promise.all([admit(register(null, 'credential')), admit(register(null, 'credential'))]);
    expect(lookUps.slice(1)).toEqual(['devices acme meter', 'devices acme meter']);
  });
});

describe('an admitted device', () => {
  it.each([
    [30, { awakeMs: 30_000 }],
    [0, { awakeMs: 0 }],
  ])('stays awake for its %d seconds', async (seconds, expected) => {
    known(DEFAULT_TENANT, 'sleepy');
    awakeTime = seconds;
    expect(await admission()(register('sleepy'))).toMatchObject(expected);
  });
});
