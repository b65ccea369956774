import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEventBus } from '../../../src/events/index.ts';
import { type CredentialBook, createCredentials, type Device, Seal } from '../../../src/fleet/index.ts';
import type { FleetEvents } from '../../../src/fleet/index.ts';
import { createProvisioning } from '../../../src/fleet/devices/provisioning.ts';
import { createProfiles } from '../../../src/fleet/profiles/profiles.ts';
import { tenants } from '../../../src/store/index.ts';
import { certify } from '../../dtls/certificates.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';
import { registryModel } from '../../../src/lwm2m/index.ts';
import { ADMIN } from '../fleet-world.ts';

const store = useStore({ poolSize: 1 });
const clock = new ManualClock();
const seal = new Seal(randomBytes(32));
const bus = createEventBus<FleetEvents>();
const NOT_FOUND = { code: 'NOT_FOUND' };

let book: CredentialBook;
let device: Device;
let count = 0;

beforeAll(async () => {
  const row = { id: ADMIN.tenantId, name: '', createdAt: new Date() };
  await store().asSystem((tx) => tx.insert(tenants).values(row).onConflictDoNothing());
});

beforeEach(async () => {
  book = createCredentials({ store: store(), clock, bus, seal });
  const provisioning = createProvisioning(
    store(),
    createProfiles(store(), clock, () => registryModel()),
    bus,
    clock,
  );
  const made = await provisioning.provision(ADMIN, { endpoint: `urn:imei:${++count}` }, async () => null);
  device = made.device;
});

/** Collects the events that are published from now on, without their tenant. */
function heard(kind: 'credentialCreated' | 'credentialEnded' | 'trustChanged'): object[] {
  const events: object[] = [];
  const subscription = bus.subscribe(kind, ADMIN.tenantId);
  void (async () => {
    for await (const event of subscription) if (event.kind === 'event') events.push(event.value);
  })();
  return events;
}

function publicKey(): string {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}

describe('a credential', () => {
  it('is for the LwM2M server unless it is made for the bootstrap server, and is published', async () => {
    const created = heard('credentialCreated');
    const plain = await book.create(ADMIN, device.id, { kind: 'psk' });
    const bootstrap = await book.create(ADMIN, device.id, {
      kind: 'rpk',
      publicKey: publicKey(),
      purpose: 'bootstrap',
    });
    expect([plain, bootstrap].map(({ credential }) => credential.purpose)).toEqual(['lwm2m', 'bootstrap']);
    const event = { tenantId: ADMIN.tenantId, deviceId: device.id };
    await expect.poll(() => created).toEqual([event, event]);
  });

  it('is listed before older ones of its device, also when it was revoked', async () => {
    const first = await book.create(ADMIN, device.id, { kind: 'psk' });
    await clock.advance(1_000);
    const second = await book.create(ADMIN, device.id, { kind: 'x509' });
    const revoked = await book.revoke(ADMIN, first.credential.id);
    expect((await book.list(ADMIN, [device.id])).get(device.id)).toEqual([second.credential, revoked]);
  });

  it('is refused when the device has 16 valid ones', async () => {
    const made: string[] = [];
    for (let n = 0; n < 16; n++) {
      const { credential } = await book.create(ADMIN, device.id, { kind: 'psk', identity: `${device.endpoint}/${n}` });
      made.push(credential.id);
    }
    const another = { kind: 'x509' } as const;
    await expect(book.create(ADMIN, device.id, another)).rejects.toMatchObject({ code: 'CONFLICT' });
    await book.revoke(ADMIN, made[0] ?? '');
    expect(await book.create(ADMIN, device.id, another)).toMatchObject({ secret: null });
  });

  it('gets another identity when the endpoint name is taken, unless the identity was asked for', async () => {
    await book.create(ADMIN, device.id, { kind: 'psk' });
    const { secret } = await book.create(ADMIN, device.id, { kind: 'psk' });
    expect(secret?.identity).toMatch(new RegExp(`^${device.endpoint}#[0-9a-f]{8}$`));
    await expect(book.create(ADMIN, device.id, { kind: 'psk', identity: device.endpoint })).rejects.toMatchObject({
      code: 'CONFLICT',
      field: ['identity'],
    });
  });

  it('is not made for an unknown device', async () => {
    for (const id of ['no uuid', randomUUID()]) {
      await expect(book.create(ADMIN, id, { kind: 'psk' })).rejects.toMatchObject(NOT_FOUND);
    }
  });

  it('that is unknown is neither rotated nor revoked', async () => {
    for (const id of ['no uuid', randomUUID()]) {
      await expect(book.rotate(ADMIN, id, { overlapSeconds: 0 })).rejects.toMatchObject(NOT_FOUND);
      await expect(book.revoke(ADMIN, id)).rejects.toMatchObject(NOT_FOUND);
    }
  });

  it('that is revoked twice keeps the time of the first, and ends its sessions again', async () => {
    const { credential } = await book.create(ADMIN, device.id, { kind: 'psk' });
    const first = await book.revoke(ADMIN, credential.id);
    const ends = heard('credentialEnded');
    await clock.advance(1_000);
    expect(await book.revoke(ADMIN, credential.id)).toEqual(first);
    const event = { tenantId: ADMIN.tenantId, deviceId: device.id, credentialId: credential.id };
    await expect.poll(() => ends).toEqual([event]);
  });
});

describe('a rotation', () => {
  it('is possible for a PSK only', async () => {
    const { credential } = await book.create(ADMIN, device.id, { kind: 'x509' });
    const rotated = book.rotate(ADMIN, credential.id, { overlapSeconds: 0 });
    await expect(rotated).rejects.toMatchObject({ code: 'VALIDATION', field: ['id'] });
  });

  it('is refused for a credential that was revoked', async () => {
    const { credential } = await book.create(ADMIN, device.id, { kind: 'psk' });
    await book.revoke(ADMIN, credential.id);
    const rotated = book.rotate(ADMIN, credential.id, { overlapSeconds: 0 });
    await expect(rotated).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('replaces the end of an identity that an earlier rotation made, and keeps the purpose', async () => {
    const first = await book.create(ADMIN, device.id, { kind: 'psk', purpose: 'bootstrap' });
    const second = await book.rotate(ADMIN, first.credential.id, { overlapSeconds: 0 });
    const third = await book.rotate(ADMIN, second.credential.id, { overlapSeconds: 0 });
    for (const { credential } of [second, third]) {
      expect(credential.identity).toMatch(new RegExp(`^${device.endpoint}#[0-9a-f]{8}$`));
      expect(credential.purpose).toBe('bootstrap');
    }
    expect(third.credential.identity).not.toBe(second.credential.identity);
  });
});

describe('a trust anchor', () => {
  const root = certify('Root', null);
  const anchor = { name: 'Root', certificate: root.certificate.toString('base64') };

  it('is listed until it is removed, and both changes are published', async () => {
    const changes = heard('trustChanged');
    const added = await book.addAnchor(ADMIN, anchor);
    expect(added).toMatchObject({ name: 'Root', subject: 'CN=Root', createdAt: new Date(clock.now()) });
    expect(await book.anchors(ADMIN)).toEqual([added]);
    expect(await book.removeAnchor(ADMIN, added.id)).toEqual(added);
    expect(await book.anchors(ADMIN)).toEqual([]);
    const { tenantId } = ADMIN;
    await expect
      .poll(() => changes)
      .toEqual([
        { tenantId, counts: true },
        { tenantId, counts: false },
      ]);
  });

  it('is not added twice', async () => {
    const { id } = await book.addAnchor(ADMIN, anchor);
    await expect(book.addAnchor(ADMIN, anchor)).rejects.toMatchObject({ code: 'CONFLICT', field: ['certificate'] });
    await book.removeAnchor(ADMIN, id);
  });

  it('that is unknown is not removed', async () => {
    for (const id of ['no uuid', randomUUID()]) {
      await expect(book.removeAnchor(ADMIN, id)).rejects.toMatchObject(NOT_FOUND);
    }
  });
});

it('publishes the revocation of a certificate once', async () => {
  const changes = heard('trustChanged');
  const revocation = { fingerprint: randomBytes(32).toString('hex'), reason: 'stolen' };
  await book.revokeCertificate(ADMIN, revocation);
  await book.revokeCertificate(ADMIN, revocation);
  await book.revokeCertificate(ADMIN, { ...revocation, fingerprint: randomBytes(32).toString('hex') });
  const event = { tenantId: ADMIN.tenantId, counts: false };
  await expect.poll(() => changes).toEqual([event, event]);
});
