import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEventBus } from '../../../src/events/index.ts';
import { type Actor, DEFAULT_TENANT, type DeviceId } from '../../../src/fleet/access/index.ts';
import { createCredentials } from '../../../src/fleet/credentials/credentials.ts';
import { createCredentialLookUp } from '../../../src/fleet/credentials/look-up.ts';
import { HandshakeLog, type CredentialEvents, Seal } from '../../../src/fleet/credentials/index.ts';
import { certify } from '../../dtls/certificates.ts';
import { ManualClock } from '../../manual-clock.ts';
import { REACHED, reachedStore as store } from '../reached-store.ts';

const ADMIN: Actor = { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null };

const clock = new ManualClock();
const seal = new Seal(randomBytes(32));
const book = createCredentials({ store, clock, bus: createEventBus<CredentialEvents>(), seal });
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const handshakes = new HandshakeLog({ store, clock, log: silent });

const certificate = certify('Root', null).certificate.toString('base64');
const fingerprint = createHash('sha256').update('a certificate').digest('hex');

describe('credentials', () => {
  it.each(['viewer', 'operator'] as const)('are managed by admins, not by the role %s', async (role) => {
    const actor: Actor = { ...ADMIN, role };
    const all: readonly Promise<unknown>[] = [
      book.list(actor, []),
      book.create(actor, randomUUID(), { kind: 'psk' }),
      book.rotate(actor, randomUUID(), { overlapSeconds: 0 }),
      book.revoke(actor, randomUUID()),
      book.anchors(actor),
      book.addAnchor(actor, { name: 'root', certificate }),
      book.removeAnchor(actor, randomUUID()),
      book.revokeCertificate(actor, { fingerprint, reason: '' }),
      handshakes.list(actor, []),
    ];
    for (const one of await Promise.allSettled(all)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'FORBIDDEN' } });
    }
  });

  it('of no device are an empty list, without a query', async () => {
    expect(await book.list(ADMIN, [])).toEqual(new Map());
    expect(await handshakes.list(ADMIN, [])).toEqual(new Map());
    const id = randomUUID() as DeviceId; // a device's id is a UUID
    await expect(book.list(ADMIN, [id])).rejects.toThrow(REACHED);
    await expect(handshakes.list(ADMIN, [id])).rejects.toThrow(REACHED);
  });

  it('are not looked up for an identity that is not UTF-8', async () => {
    const lookUp = createCredentialLookUp({ store, clock, seal });
    expect(await lookUp.psk(Buffer.of(0xff))).toBeNull();
    await expect(lookUp.psk(Buffer.from('identity'))).rejects.toThrow(REACHED);
  });
});

describe('the overlap of a rotation', () => {
  it.each([-1, 0.5, Number.NaN, 90 * 86_400 + 1])('can’t be %d seconds', async (overlapSeconds) => {
    await expect(book.rotate(ADMIN, randomUUID(), { overlapSeconds })).rejects.toMatchObject({
      code: 'VALIDATION',
      field: ['overlapSeconds'],
    });
  });

  it.each([0, 90 * 86_400])('may be %d seconds', async (overlapSeconds) => {
    await expect(book.rotate(ADMIN, randomUUID(), { overlapSeconds })).rejects.toThrow(REACHED);
  });
});

describe('the fingerprint of a certificate to revoke', () => {
  it.each([
    ['empty', ''],
    ['a SHA-1', 'ab'.repeat(20)],
    ['too long', `${fingerprint}ab`],
    ['no hex', 'xy'.repeat(32)],
    ['followed by another text', `${fingerprint}\n`],
    ['preceded by another text', ` ${fingerprint}`],
  ])('is refused when it is %s', async (_what, wrong) => {
    await expect(book.revokeCertificate(ADMIN, { fingerprint: wrong, reason: '' })).rejects.toMatchObject({
      code: 'VALIDATION',
      field: ['fingerprint'],
    });
  });

  it.each([
    ['hex', fingerprint],
    ['hex in capitals', fingerprint.toUpperCase()],
    ['hex with colons', fingerprint.replaceAll(/(..)(?!$)/g, '$1:')],
  ])('may be %s', async (_form, text) => {
    await expect(book.revokeCertificate(ADMIN, { fingerprint: text, reason: '' })).rejects.toThrow(REACHED);
  });
});
