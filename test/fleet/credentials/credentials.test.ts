import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEventBus } from '../../../src/events/index.ts';
import type { Actor, DeviceId, TenantId } from '../../../src/fleet/access/actor.ts';
import { createCredentialLookUp } from '../../../src/fleet/credentials/look-up.ts';
import { createCredentials } from '../../../src/fleet/credentials/credentials.ts';
import type { FleetEvents } from '../../../src/fleet/events.ts';
import { Seal } from '../../../src/fleet/credentials/seal.ts';
import { credentials as table, devices, profiles, tenants } from '../../../src/store/index.ts';
import { certify } from '../../dtls/certificates.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';

const DAY = 86_400_000;

const store = useStore();
const clock = new ManualClock();
const seal = new Seal(randomBytes(32));
const bus = createEventBus<FleetEvents>();
const acme = admin('acme');
const other = admin('other');

function admin(tenantId: string): Actor {
  // A test names its tenant by a plain string.
  return { tenantId: tenantId as TenantId, role: 'admin', subject: 'test', keyId: null };
}

const book = (): ReturnType<typeof createCredentials> => createCredentials({ store: store(), clock, bus, seal });
const lookUp = (): ReturnType<typeof createCredentialLookUp> => createCredentialLookUp({ store: store(), clock, seal });

async function device(actor: Actor, endpoint: string): Promise<DeviceId> {
  const [id, profileId] = [randomUUID(), randomUUID()];
  const at = new Date(clock.now());
  const { tenantId } = actor;
  await store().asTenant(tenantId, async (tx) => {
    await tx.insert(profiles).values({
      id: profileId,
      tenantId,
      name: endpoint,
      isDefault: false,
      mappings: [],
      methods: [],
      offlineAfter: null,
      expectedInterval: null,
      createdAt: at,
      updatedAt: at,
    });
    await tx.insert(devices).values({
      id,
      tenantId,
      endpoint,
      name: null,
      tags: [],
      profileId,
      status: 'NEVER_SEEN',
      lastSeen: null,
      createdAt: at,
      updatedAt: at,
    });
  });
  return id as DeviceId;
}

describe('credentials', () => {
  beforeAll(async () => {
    const createdAt = new Date(clock.now());
    await store().asSystem((tx) =>
      tx.insert(tenants).values(['acme', 'other'].map((id) => ({ id, name: id, createdAt }))),
    );
  });

  it('makes a PSK of 32 random bytes under the endpoint, and finds it by its identity', async () => {
    const id = await device(acme, 'urn:imei:1');
    const { credential, secret } = await book().create(acme, id, { kind: 'psk' });
    expect(secret).toEqual({ identity: 'urn:imei:1', keyHex: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const found = await lookUp().psk(Buffer.from('urn:imei:1'));
    expect(found).toMatchObject({ key: Buffer.from(secret?.keyHex ?? '', 'hex'), credential: credential.id });
    expect((await lookUp().holders([credential.id])).get(credential.id)).toEqual({
      credentialId: credential.id,
      tenantId: 'acme',
      deviceId: id,
      endpoint: 'urn:imei:1',
    });
  });

  it('stores no key in the clear', async () => {
    const id = await device(acme, 'urn:imei:2');
    const key = randomBytes(16);
    await book().create(acme, id, { kind: 'psk', key: key.toString('hex') });
    const rows = await store().asTenant('acme', (tx) => tx.select().from(table));
    for (const { sealedKey } of rows) expect(Buffer.from(sealedKey ?? []).includes(key)).toBe(false);
  });

  it.each([
    ['an identity that is empty', { kind: 'psk', identity: '' }, 'not 0'],
    ['an identity above 128 bytes', { kind: 'psk', identity: 'é'.repeat(65) }, 'not 130'],
    ['a key below 16 bytes', { kind: 'psk', key: 'abcd' }, '16 to 64 bytes'],
    ['a key that is no hex', { kind: 'psk', key: 'hunter2'.repeat(5) }, '16 to 64 bytes'],
    ['a public key that is none', { kind: 'rpk', publicKey: 'AQID' }, 'SubjectPublicKeyInfo'],
  ] as const)('refuses %s', async (_what, input, words) => {
    const id = await device(acme, `urn:dev:os:${randomUUID()}`);
    const refused = book().create(acme, id, input);
    await expect(refused).rejects.toMatchObject({ code: 'VALIDATION', message: expect.stringContaining(words) });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') });
  });

  it('gives an identity to one device only, across all tenants', async () => {
    await book().create(acme, await device(acme, 'urn:imei:3'), { kind: 'psk', identity: 'shared' });
    const second = book().create(other, await device(other, 'urn:imei:3'), { kind: 'psk', identity: 'shared' });
    await expect(second).rejects.toMatchObject({ code: 'CONFLICT', field: ['identity'] });
  });

  it('finds a pinned public key', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const id = await device(acme, 'urn:imei:4');
    const { credential, secret } = await book().create(acme, id, { kind: 'rpk', publicKey: spki.toString('base64') });
    expect(secret).toBeNull();
    expect(credential.identity).toBe(createHash('sha256').update(spki).digest('hex'));
    expect(await lookUp().publicKey(spki)).toEqual({ credential: credential.id });
  });

  it('accepts both keys of a rotation for the stated time, then only the new one', async () => {
    const id = await device(acme, 'urn:imei:5');
    const first = await book().create(acme, id, { kind: 'psk' });
    const ends = bus.subscribe('credentialEnded', 'acme');
    const second = await book().rotate(acme, first.credential.id, { overlapSeconds: 600 });
    const identities = [first, second].map(({ secret }) => Buffer.from(secret?.identity ?? ''));
    const known = (): Promise<boolean[]> =>
      Promise.all(identities.map(async (identity) => (await lookUp().psk(identity)) !== null));
    expect(identities[0]).not.toEqual(identities[1]);
    expect(await known()).toEqual([true, true]);
    await clock.advance(600_000);
    expect(await known()).toEqual([false, true]);
    const { value } = await ends[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ value: { credentialId: first.credential.id } });
    await expect(book().rotate(acme, first.credential.id, { overlapSeconds: 0 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('ends the sessions of a rotated key after a restart too', async () => {
    const id = await device(acme, 'urn:imei:restarted');
    const { credential } = await book().create(acme, id, { kind: 'psk' });
    await book().rotate(acme, credential.id, { overlapSeconds: 600 });
    // A new clock: it does not have the timers of the first start.
    const later = new ManualClock();
    const ends = bus.subscribe('credentialEnded', 'acme');
    await createCredentials({ store: store(), clock: later, bus, seal }).resume();
    const seen: string[] = [];
    void (async () => {
      for await (const event of ends) if (event.kind === 'event') seen.push(event.value.credentialId);
    })();
    await later.advance(clock.now() - later.now() + 599_000);
    expect(seen).not.toContain(credential.id);
    await later.advance(1_000);
    await expect.poll(() => seen).toContain(credential.id);
  });

  it('does not find a revoked credential, and publishes that it ended', async () => {
    const id = await device(acme, 'urn:imei:6');
    const { credential } = await book().create(acme, id, { kind: 'psk' });
    const ends = bus.subscribe('credentialEnded', 'acme');
    expect(await book().revoke(acme, credential.id)).toMatchObject({ revokedAt: new Date(clock.now()) });
    expect(await lookUp().psk(Buffer.from('urn:imei:6'))).toBeNull();
    expect((await lookUp().holders([credential.id])).size).toBe(0);
    const { value } = await ends[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ value: { tenantId: 'acme', credentialId: credential.id } });
  });

  it('keep their device secured after they are revoked', async () => {
    const [id, without] = [await device(acme, 'urn:imei:stolen'), await device(acme, 'urn:imei:without')];
    const { credential } = await book().create(acme, id, { kind: 'psk' });
    await book().revoke(acme, credential.id);
    const secured = await store().asTenant('acme', (tx) => lookUp().secured(tx, [id, without]));
    expect(secured).toEqual(new Set([id]));
  });

  it('neither shows nor changes those of another tenant', async () => {
    const id = await device(acme, 'urn:imei:7');
    const { credential } = await book().create(acme, id, { kind: 'psk' });
    expect((await book().list(acme, [id])).get(id)).toHaveLength(1);
    expect((await book().list(other, [id])).get(id)).toEqual([]);
    const refused = { code: 'NOT_FOUND' };
    await expect(book().create(other, id, { kind: 'psk' })).rejects.toMatchObject(refused);
    await expect(book().rotate(other, credential.id, { overlapSeconds: 0 })).rejects.toMatchObject(refused);
    await expect(book().revoke(other, credential.id)).rejects.toMatchObject(refused);
  });

  it('can be managed only by an admin', async () => {
    const operator: Actor = { ...acme, role: 'operator' };
    await expect(book().list(operator, [])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(book().create(operator, randomUUID(), { kind: 'psk' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  describe('of tenants that trust one authority', () => {
    const root = certify('Shared root', null, { notBefore: clock.now() - DAY, notAfter: clock.now() + DAY });
    const fingerprint = createHash('sha256').update(root.certificate).digest('hex');
    it('know a device by the first credential with its name, and by the revocations of its own tenant', async () => {
      const [first, second] = [await device(acme, 'urn:imei:8'), await device(other, 'urn:imei:8-other')];
      const own = await book().create(acme, first, { kind: 'x509', subject: 'shared' });
      await clock.advance(1_000);
      await book().create(other, second, { kind: 'x509', subject: 'shared' });
      const [stolen, fine] = ['aa'.repeat(32), 'bb'.repeat(32)];
      const found = (): ReturnType<ReturnType<typeof lookUp>['certificate']> =>
        lookUp().certificate(['other', 'acme'], 'shared', [stolen, fine]);
      await book().revokeCertificate(other, { fingerprint: stolen, reason: 'not theirs' });
      expect(await found()).toEqual({ credential: own.credential.id, revoked: [] });
      await book().revokeCertificate(acme, { fingerprint: stolen, reason: 'stolen' });
      expect(await found()).toEqual({ credential: own.credential.id, revoked: [stolen] });
    });

    it('lose it as an anchor when they revoke it themselves, and can not add it again', async () => {
      const anchor = { name: 'Shared', certificate: root.certificate.toString('base64') };
      await book().addAnchor(acme, anchor);
      const { id } = await book().addAnchor(other, anchor);
      await book().revokeCertificate(other, { fingerprint, reason: 'compromised' });
      expect((await lookUp().anchors()).map(({ tenantId }) => tenantId)).toEqual(['acme']);
      await book().removeAnchor(other, id);
      const refused = { code: 'CONFLICT', field: ['certificate'], message: expect.stringContaining(fingerprint) };
      await expect(book().addAnchor(other, anchor)).rejects.toMatchObject(refused);
    });
  });

  it('refuses an anchor that is not a certificate', async () => {
    const added = book().addAnchor(acme, { name: 'ca', certificate: 'AQID' });
    await expect(added).rejects.toMatchObject({ code: 'VALIDATION', field: ['certificate'] });
  });
});
