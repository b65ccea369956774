import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  HandshakeLog,
  Seal,
  createCredentials,
  type CredentialBook,
  type Device,
  type DeviceId,
  type FleetEvents,
  type HandshakeRecord,
  type HandshakeReport,
  type IssuedCredential,
  type NewCredential,
} from '../../../src/fleet/index.ts';
import { createEventBus } from '../../../src/events/index.ts';
import { createProfiles } from '../../../src/fleet/profiles/profiles.ts';
import { createProvisioning } from '../../../src/fleet/devices/provisioning.ts';
import { handshakes, tenants } from '../../../src/store/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';
import { registryModel } from '../../../src/lwm2m/index.ts';
import { ADMIN, OTHER } from '../fleet-world.ts';

const store = useStore();
const bus = createEventBus<FleetEvents>();
const REFUSED = { established: false, alert: null, reason: 'the key is not the one on file' } as const;

let clock: ManualClock;
let told: string[];
let log: HandshakeLog;
let book: CredentialBook;

beforeAll(async () => {
  const rows = [ADMIN, OTHER].map(({ tenantId: id }) => ({ id, name: id, createdAt: new Date() }));
  await store().asSystem((tx) => tx.insert(tenants).values(rows).onConflictDoNothing());
});

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  const tell = (_details: object, message: string): void => void told.push(message);
  log = new HandshakeLog({ store: store(), clock, log: { info: tell, warn: tell, error: tell } });
  book = createCredentials({ store: store(), clock, bus, seal: new Seal(randomBytes(32)) });
});

let count = 0;

async function provisioned(security: NewCredential, actor = ADMIN): Promise<{ device: Device } & IssuedCredential> {
  const provisioning = createProvisioning(
    store(),
    createProfiles(store(), clock, () => registryModel()),
    bus,
    clock,
  );
  const endpoint = `urn:dev:os:handshakes-${++count}`;
  const { device, made } = await provisioning.provision(actor, { endpoint }, (tx, owner) =>
    book.issue(tx, owner, security),
  );
  return { device, ...made };
}

function report(name: string, details: Partial<HandshakeReport> = {}): HandshakeReport {
  return {
    at: clock.now(),
    durationMs: 12.4,
    from: { address: '192.0.2.7', port: 56_830 },
    suite: 'TLS_PSK_WITH_AES_128_CCM_8',
    resumed: false,
    claim: { kind: 'psk', name },
    credential: null,
    outcome: REFUSED,
    ...details,
  };
}

function failureOf({ credential: { id, identity } }: IssuedCredential): HandshakeReport {
  return report(identity, { credential: id });
}

async function written(...reports: readonly HandshakeReport[]): Promise<void> {
  for (const one of reports) log.record(one);
  await log.stop();
}

async function of(id: DeviceId, actor = ADMIN): Promise<HandshakeRecord[]> {
  return (await log.list(actor, [id])).get(id) ?? [];
}

describe('the handshake log', () => {
  it('stores how a handshake ended, for the device that has the credential', async () => {
    const { device, credential } = await provisioned({ kind: 'psk' });
    const [refused, established] = [
      report(credential.identity, { credential: credential.id }),
      report(credential.identity, { credential: credential.id, outcome: { established: true }, at: clock.now() + 1 }),
    ];
    await written(refused, established);
    const common = { deviceId: device.id, credentialId: credential.id, durationMs: 12, address: '192.0.2.7:56830' };
    expect(await of(device.id)).toMatchObject([
      { ...common, established: true, alert: null, reason: null },
      { ...common, established: false, reason: REFUSED.reason, suite: 'TLS_PSK_WITH_AES_128_CCM_8' },
    ]);
    expect(told).toEqual([]);
  });

  it('writes a second after the first report', async () => {
    const { device, credential } = await provisioned({ kind: 'psk' });
    log.record(report(credential.identity));
    expect(await of(device.id)).toEqual([]);
    await clock.advance(1_000);
    await expect.poll(() => of(device.id), { timeout: 10_000 }).toHaveLength(1);
  });

  it('gives the failure of an expired certificate to the device that its common name names', async () => {
    const { device, credential } = await provisioned({ kind: 'x509' });
    const outcome = { established: false, alert: 'certificate_expired', reason: 'it expired 2026-03-01' } as const;
    await written(report('', { claim: { kind: 'x509', name: `O=Acme, CN=${credential.identity}` }, outcome }));
    expect(await of(device.id)).toMatchObject([{ alert: 'certificate_expired', reason: 'it expired 2026-03-01' }]);
  });

  it('says of a revoked credential that it was revoked', async () => {
    const { device, credential } = await provisioned({ kind: 'psk' });
    await book.revoke(ADMIN, credential.id);
    await written(report(credential.identity));
    expect(await of(device.id)).toMatchObject([
      { reason: expect.stringMatching(/^the credential was revoked \d{4}-/) },
    ]);
  });

  it('shows a failure to the first tenant with the name, and not to another', async () => {
    const { device, credential } = await provisioned({ kind: 'x509' });
    await clock.advance(1_000);
    const { device: theirs } = await provisioned({ kind: 'x509', subject: credential.identity }, OTHER);
    const outcome = { established: false, alert: 'certificate_expired', reason: 'it expired 2026-03-01' } as const;
    await written(report('', { claim: { kind: 'x509', name: `CN=${credential.identity}` }, outcome }));
    expect(await of(device.id)).toHaveLength(1);
    expect(await of(theirs.id, OTHER)).toEqual([]);
  });

  it('names the first ten unknown devices in the process log', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `stranger-${index}`);
    await written(...names.map((name) => report(name, { outcome: { ...REFUSED, reason: `${name} is not known` } })));
    expect(told).toEqual([
      ...names.slice(0, 10).map((name) => `a DTLS handshake failed: ${name} is not known`),
      'more DTLS handshakes ended than are logged one by one',
    ]);
  });

  it('stores a bounded number of rows from a flood, and leaves room for others', async () => {
    const attacked = await provisioned({ kind: 'psk' });
    const honest = await provisioned({ kind: 'psk' });
    for (let index = 0; index < 5_000; index++) {
      log.record(failureOf(attacked));
      log.record(report(`stranger-${index}`));
    }
    await written(failureOf(honest));
    expect(await of(attacked.device.id)).toHaveLength(3);
    expect(await of(honest.device.id)).toHaveLength(1);
  });

  it('keeps the last twenty handshakes of a device', async () => {
    const { device, credential } = await provisioned({ kind: 'psk' });
    for (let round = 0; round < 9; round++) {
      const at = clock.now() + 10 * round;
      await written(...[0, 1, 2].map((more) => report(credential.identity, { at: at + more })));
    }
    const kept = await of(device.id);
    expect(kept).toHaveLength(20);
    expect(kept[0]?.at).toEqual(new Date(clock.now() + 82));
    expect(await store().asTenant(ADMIN.tenantId, (tx) => tx.$count(handshakes))).toBeLessThan(40);
  });

  it('shows nothing to another tenant, nor to a user who is not an admin', async () => {
    const { device, credential } = await provisioned({ kind: 'psk' });
    await written(report(credential.identity));
    expect(await of(device.id, OTHER)).toEqual([]);
    await expect(of(device.id, { ...ADMIN, role: 'operator' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
