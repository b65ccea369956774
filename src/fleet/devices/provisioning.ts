import { randomUUID } from 'node:crypto';
import { eq, inArray, isNotNull } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import { networkText } from '../../network/index.ts';
import { devices, lockUntilEnd, profiles, StoreError, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type TenantId, requireRole } from '../access/index.ts';
import { FleetError, isUuid, LIMITS, textProblem } from '../common/index.ts';
import { checkAwakeTime, type ProfileBook } from '../profiles/index.ts';
import { deviceOfRow, type DeviceRow } from './device-row.ts';
import type { DeviceEvents, Device } from './device.ts';

/** The settable fields of a new device. */
export interface NewDevice {
  readonly endpoint: string;
  readonly name?: string | null;
  readonly tags?: readonly string[] | null;
  readonly profileId?: string | null;
  /** Seconds; see `Device.awakeTime`. */
  readonly awakeTime?: number | null;
}

/** Creates devices. */
export interface Provisioning {
  /** Creates a device. `alongside` runs in the same transaction: if it rejects, the device is not created. */
  provision<T>(
    actor: Actor,
    input: NewDevice,
    alongside: (tx: Transaction, device: Device) => Promise<T>,
  ): Promise<{ readonly device: Device; readonly made: T }>;
  /** Returns the tenant's devices with these endpoints, in the same order; null for a missing one. */
  ofEndpoints(tenantId: TenantId, endpoints: readonly string[]): Promise<(Device | null)[]>;
  /**
   * Returns the devices of unknown and known endpoints that sent a message without security, in the same order. Creates
   * the missing ones with the tenant's default profile. A string is the reason why one was not created: its network, or
   * all networks, have added as many devices as the limits allow. Creations of a tenant wait for each other.
   */
  add(tenantId: TenantId, newcomers: readonly Newcomer[], limits: AutoProvisionLimits): Promise<(Device | string)[]>;
  /**
   * Creates the device of a claim, or returns the present one with this endpoint; null if the factory credential has
   * added `most` devices already. Claims with one factory credential wait for each other, so that none exceeds `most`.
   */
  claim(tenantId: TenantId, endpoint: string, claim: FactoryClaim): Promise<Device | null>;
}

/** An endpoint that sent a message without security. */
export interface Newcomer {
  readonly endpoint: string;
  /** An IPv4 address or the first 64 bits of an IPv6 address: see `networkOf`. */
  readonly network: string;
}

/** How many of the stored devices may have been added by themselves. */
export interface AutoProvisionLimits {
  readonly perNetwork: number;
  readonly total: number;
}

/** The factory credential of a claim. */
export interface FactoryClaim {
  readonly factoryCredentialId: string;
  readonly profileId: string;
  /** The most devices that the factory credential may add. */
  readonly most: number;
}

export function createProvisioning(
  store: Store,
  profileBook: ProfileBook,
  bus: EventBus<DeviceEvents>,
  clock: Clock,
): Provisioning {
  const publish = (device: Device): void =>
    bus.publish('deviceStatusChanged', device.tenantId, {
      tenantId: device.tenantId,
      deviceId: device.id,
      endpoint: device.endpoint,
      status: 'NEVER_SEEN',
      previous: 'NEVER_SEEN',
      reason: 'provisioned',
      lastSeen: null,
      at: device.createdAt,
    });

  const rowOf = (
    tenantId: TenantId,
    profileId: string,
    input: Pick<DeviceRow, 'endpoint'> & Partial<DeviceRow>,
  ): DeviceRow => {
    const now = new Date(clock.now());
    return {
      id: randomUUID(),
      tenantId,
      profileId,
      name: null,
      tags: [],
      status: 'NEVER_SEEN',
      lastSeen: null,
      awakeTime: null,
      measuredAwakeTime: null,
      awakeMeasuredAt: null,
      factoryCredentialId: null,
      addedFrom: null,
      createdAt: now,
      updatedAt: now,
      fieldTimes: {},
      ...input,
    };
  };

  /** Creates the missing devices that the limits allow. `refused`: the reason for each of the others. */
  async function addWithin(
    tx: Transaction,
    tenantId: TenantId,
    missing: readonly Newcomer[],
    { perNetwork, total }: AutoProvisionLimits,
  ): Promise<{ readonly added: Map<string, Device>; readonly refused: Map<string, string> }> {
    // Count and insert must be one: parallel Registers must not exceed the limits.
    await lockUntilEnd(tx, `devices added by themselves to ${tenantId}`);
    const profileId = await profileBook.ensureDefault(tx, tenantId);
    const counts = new Map<string, number>();
    let all = await tx.$count(devices, isNotNull(devices.addedFrom));
    const refused = new Map<string, string>();
    const fresh: DeviceRow[] = [];
    for (const { endpoint, network } of missing) {
      if (fresh.some((row) => row.endpoint === endpoint)) continue;
      const count = counts.get(network) ?? (await tx.$count(devices, eq(devices.addedFrom, network)));
      counts.set(network, count);
      if (count >= perNetwork) {
        refused.set(
          endpoint,
          `devices from ${networkText(network)} may add only ${perNetwork} unknown endpoints: provision it`,
        );
      } else if (all >= total) {
        refused.set(endpoint, `the server adds only ${total} unknown endpoints: provision it`);
      } else {
        counts.set(network, count + 1);
        all++;
        fresh.push(rowOf(tenantId, profileId, { endpoint, addedFrom: network }));
      }
    }
    if (fresh.length > 0) await tx.insert(devices).values(fresh).onConflictDoNothing();
    const added = await devicesAt(
      tx,
      missing.map(({ endpoint }) => endpoint),
    );
    return { added, refused };
  }

  return {
    async provision(actor, input, alongside) {
      requireRole(actor, 'admin');
      const endpoint = normalEndpoint(input.endpoint);
      const problem = endpointProblem(endpoint);
      if (problem !== null) throw new FleetError('VALIDATION', problem, { field: ['endpoint'] });
      if (input.name != null) checkName(input.name);
      if (input.tags != null) checkTags(input.tags);
      checkAwakeTime(input.awakeTime);
      const { tenantId } = actor;
      try {
        const provisioned = await store.asTenant(tenantId, async (tx) => {
          const profileId = await profileFor(tx, profileBook, tenantId, input.profileId);
          const row = rowOf(tenantId, profileId, {
            endpoint,
            name: input.name ?? null,
            tags: [...new Set(input.tags ?? [])],
            awakeTime: input.awakeTime ?? null,
          });
          await tx.insert(devices).values(row);
          const device = deviceOfRow(row);
          return { device, made: await alongside(tx, device) };
        });
        publish(provisioned.device);
        return provisioned;
      } catch (error) {
        if (error instanceof StoreError && error.constraint === 'devices_tenant_endpoint') {
          throw new FleetError('CONFLICT', 'another device has this endpoint', { field: ['endpoint'], cause: error });
        }
        throw error;
      }
    },

    async ofEndpoints(tenantId, endpoints) {
      const byEndpoint = await store.asTenant(tenantId, (tx) => devicesAt(tx, endpoints));
      return endpoints.map((endpoint) => byEndpoint.get(endpoint) ?? null);
    },

    async add(tenantId, newcomers, limits) {
      const endpoints = newcomers.map(({ endpoint }) => endpoint);
      const known = await store.asTenant(tenantId, (tx) => devicesAt(tx, endpoints));
      const missing = newcomers.filter(({ endpoint }) => !known.has(endpoint));
      if (missing.length === 0) return endpoints.map((endpoint) => known.get(endpoint) ?? GONE);
      const { added, refused } = await store.asTenant(tenantId, (tx) => addWithin(tx, tenantId, missing, limits));
      for (const device of added.values()) if (!known.has(device.endpoint)) publish(device);
      const now = new Map([...known, ...added]);
      return endpoints.map((endpoint) => now.get(endpoint) ?? refused.get(endpoint) ?? GONE);
    },

    async claim(tenantId, endpoint, { factoryCredentialId, profileId, most }) {
      const { device, created } = await store.asTenant(tenantId, async (tx) => {
        await lockUntilEnd(tx, `devices of the factory credential ${factoryCredentialId}`);
        const present = async (): Promise<Device | null> => {
          const [row] = await tx.select().from(devices).where(eq(devices.endpoint, endpoint));
          return row ? deviceOfRow(row) : null;
        };
        const known = await present();
        if (known) return { device: known, created: false };
        const added = await tx.$count(devices, eq(devices.factoryCredentialId, factoryCredentialId));
        if (added >= most) return { device: null, created: false };
        const row = rowOf(tenantId, profileId, { endpoint, factoryCredentialId });
        const made = await tx.insert(devices).values(row).onConflictDoNothing().returning({ id: devices.id });
        return { device: await present(), created: made.length > 0 };
      });
      if (device && created) publish(device);
      return device;
    },
  };
}

/**
 * Returns `profileId` if the tenant has this profile, else throws VALIDATION; null or undefined: the tenant's default
 * profile. The profile can't be deleted before the transaction ends.
 */
export async function profileFor(
  tx: Transaction,
  profileBook: ProfileBook,
  tenantId: TenantId,
  profileId: string | null | undefined,
): Promise<string> {
  if (profileId == null) return profileBook.ensureDefault(tx, tenantId);
  const [known] = isUuid(profileId)
    ? await tx.select({ id: profiles.id }).from(profiles).where(eq(profiles.id, profileId)).for('key share')
    : [];
  if (known) return known.id;
  throw new FleetError('VALIDATION', 'the tenant has no profile with this id', {
    field: ['profileId'],
  });
}

/** The reason if another process deleted the device at once. */
const GONE = 'the device was deleted: try again';

async function devicesAt(tx: Transaction, endpoints: readonly string[]): Promise<Map<string, Device>> {
  const rows = await tx
    .select()
    .from(devices)
    .where(inArray(devices.endpoint, [...endpoints]));
  return new Map(rows.map((row) => [row.endpoint, deviceOfRow(row)]));
}

/** A Uri-Query option, `ep=` included, has at most 255 bytes (RFC 7252 §5.10). */
const LONGEST_ENDPOINT = 252;

/**
 * What a person can't see in a name, and so can't tell two names apart by: control characters, the category Format
 * (zero-width and bidirectional ones among them), line separators, fillers and variation selectors.
 */
const UNSAFE =
  /[\p{Surrogate}\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Default_Ignorable_Code_Point}\uFFFD]/u;

/**
 * Returns the rule that an endpoint name breaks; null if it is valid. Names that differ only in their normalization
 * would look the same, so only NFC is accepted: `normalEndpoint` converts a name first.
 */
export function endpointProblem(endpoint: string): string | null {
  if (endpoint.length === 0) return 'the endpoint name must not be empty';
  if (Buffer.byteLength(endpoint) > LONGEST_ENDPOINT) {
    return `the endpoint name must have at most ${LONGEST_ENDPOINT} bytes in UTF-8`;
  }
  const refused = UNSAFE.exec(endpoint);
  if (refused) {
    const code = refused[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    return `the endpoint name must be valid UTF-8 text without control, format, bidirectional or zero-width characters; it contains U+${code}`;
  }
  if (endpoint !== endpoint.normalize('NFC')) {
    return 'the endpoint name must be in Unicode normalization form C (NFC)';
  }
  return null;
}

/** The reason to refuse a message whose endpoint name is not that of the device of its credential, with both names. */
export function endpointMismatch(sent: string, own: string): string {
  return `the endpoint name ${sent} is not that of the device of the credential, ${own}`;
}

/** Returns the endpoint name in the form in which devices are stored and looked up: NFC. */
export function normalEndpoint(endpoint: string): string {
  return endpoint.normalize('NFC');
}

export function checkName(name: string): void {
  const problem = textProblem(name, { most: LIMITS.name });
  if (problem !== null) throw new FleetError('VALIDATION', problem, { field: ['name'] });
}

export function checkTags(tags: readonly string[]): void {
  if (tags.length > LIMITS.tags) {
    throw new FleetError('VALIDATION', `a device can have at most ${LIMITS.tags} tags, not ${tags.length}`, {
      field: ['tags'],
    });
  }
  for (const [index, tag] of tags.entries()) {
    const problem = textProblem(tag, { most: LIMITS.tag });
    if (problem !== null) throw new FleetError('VALIDATION', problem, { field: ['tags', String(index)] });
  }
}
