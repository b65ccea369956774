import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, gt, inArray, lt, or } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { ObjectModel } from '../../lwm2m/index.ts';
import { profiles, StoreError, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type TenantId, requireRole } from '../access/index.ts';
import {
  badCursor,
  changedFields,
  checkNotStale,
  FleetError,
  type Page,
  type PageRequest,
  pageOf,
  windowOf,
  isUuid,
  nextEdit,
} from '../common/index.ts';
import type { RpcMethod } from '../operations/index.ts';
import type { ProfileInput, DeviceProfile, MetricMapping } from './profile.ts';
import { checkProfile, DEFAULT_PROFILE } from './rules.ts';

/** The device profiles of a tenant, as the API reads and changes them. */
export interface Profiles {
  /** Returns the profiles in the order of `ids`, with null for an id that the tenant does not have. */
  many(actor: Actor, ids: readonly string[]): Promise<(DeviceProfile | null)[]>;
  page(actor: Actor, request: PageRequest): Promise<Page<DeviceProfile>>;
  create(actor: Actor, input: ProfileInput): Promise<DeviceProfile>;
  /**
   * Changes the given fields; an undefined field stays. `ifUpdatedAt`: throws CONFLICT, with the fields that were
   * changed, unless the profile was last changed at this time.
   */
  update(actor: Actor, id: string, changes: Partial<ProfileInput>, ifUpdatedAt?: Date | null): Promise<DeviceProfile>;
  delete(actor: Actor, id: string): Promise<DeviceProfile>;
}

/** The device profiles, with what the other modules of the fleet need of them. */
export interface ProfileBook extends Profiles {
  /** Returns the present profile of a device, from memory if it was read before. Rejects with NOT_FOUND. */
  of(tenantId: TenantId, profileId: string): Promise<DeviceProfile>;
  /** Returns the id of the tenant's default profile; creates it from DEFAULT_PROFILE if the tenant has none. */
  ensureDefault(tx: Transaction, tenantId: TenantId): Promise<string>;
  /** Calls `changed` after each update and each delete of a profile. */
  onChange(changed: (tenantId: TenantId, profileId: string) => void): void;
}

type ProfileRow = typeof profiles.$inferSelect;
/** The cache is cleared when it holds this many profiles. */
const MOST_KEPT = 10_000;

export function createProfiles(store: Store, clock: Clock, modelOf: (tenantId: TenantId) => ObjectModel): ProfileBook {
  const kept = new Map<string, Promise<DeviceProfile>>();
  const listeners: ((tenantId: TenantId, profileId: string) => void)[] = [];

  const forget = (tenantId: TenantId, id: string): void => {
    kept.delete(id);
    for (const changed of listeners) changed(tenantId, id);
  };

  async function find(actor: Pick<Actor, 'tenantId'>, id: string): Promise<DeviceProfile | null> {
    if (!isUuid(id)) return null;
    const rows = await store.asTenant(actor.tenantId, (tx) => tx.select().from(profiles).where(eq(profiles.id, id)));
    return rows[0] ? profileOfRow(rows[0]) : null;
  }

  return {
    of(tenantId, profileId) {
      const known = kept.get(profileId);
      if (known) return known;
      if (kept.size >= MOST_KEPT) kept.clear();
      const read = find({ tenantId }, profileId).then((profile) => {
        if (profile) return profile;
        throw new FleetError('NOT_FOUND', `the tenant has no profile ${profileId}`);
      });
      kept.set(profileId, read);
      read.catch(() => kept.delete(profileId));
      return read;
    },

    async ensureDefault(tx, tenantId) {
      const isDefault = and(eq(profiles.tenantId, tenantId), profiles.isDefault);
      const found = await tx.select({ id: profiles.id }).from(profiles).where(isDefault);
      if (found[0]) return found[0].id;
      const now = new Date(clock.now());
      const row = { ...rowOfInput(DEFAULT_PROFILE), id: randomUUID(), tenantId, createdAt: now, updatedAt: now };
      await tx
        .insert(profiles)
        .values({ ...row, isDefault: true })
        .onConflictDoNothing();
      // If another process inserted it first, this reads the row of that process.
      const made = await tx.select({ id: profiles.id }).from(profiles).where(isDefault);
      if (!made[0])
        throw new FleetError(
          'CONFLICT',
          `cannot create the default profile: another profile has the name ${DEFAULT_PROFILE.name}; rename that profile`,
        );
      return made[0].id;
    },

    onChange: (changed) => void listeners.push(changed),

    async many(actor, ids) {
      const wanted = ids.filter(isUuid);
      if (wanted.length === 0) return ids.map(() => null);
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx.select().from(profiles).where(inArray(profiles.id, wanted)),
      );
      const byId = new Map(rows.map((row) => [row.id, profileOfRow(row)]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },

    async page(actor: Actor, request: PageRequest): Promise<Page<DeviceProfile>> {
      const window = windowOf(request, 'profiles');
      const { from, backward } = window;
      const beyond = backward ? lt : gt;
      const along = backward ? desc : asc;
      const at = from && new Date(Number(from.key));
      if (from && (Number.isNaN(at?.getTime()) || !isUuid(from.id))) throw badCursor(backward);
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(profiles)
          .where(
            from && at
              ? or(beyond(profiles.createdAt, at), and(eq(profiles.createdAt, at), beyond(profiles.id, from.id)))
              : undefined,
          )
          .orderBy(along(profiles.createdAt), along(profiles.id))
          .limit(window.size + 1),
      );
      return pageOf(rows, window, (row) => ({ key: String(row.createdAt.getTime()), id: row.id }), profileOfRow);
    },

    async create(actor, input) {
      requireRole(actor, 'admin');
      checkProfile(input, modelOf(actor.tenantId));
      const now = new Date(clock.now());
      const row: ProfileRow = {
        ...rowOfInput(input),
        id: randomUUID(),
        tenantId: actor.tenantId,
        isDefault: false,
        createdAt: now,
        updatedAt: now,
        fieldTimes: {},
      };
      await store.asTenant(actor.tenantId, (tx) => tx.insert(profiles).values(row)).catch(nameTaken);
      return profileOfRow(row);
    },

    async update(actor, id, changes, ifUpdatedAt) {
      requireRole(actor, 'admin');
      const row = await store
        .asTenant(actor.tenantId, async (tx) => {
          const present = await locked(tx, id);
          checkNotStale('the profile', present, ifUpdatedAt);
          const next = defined(changes);
          const changed = changedFields(profileOfRow(present), next);
          if (changed.length === 0) return present;
          const profile = { ...profileOfRow(present), ...next };
          checkProfile(profile, modelOf(actor.tenantId));
          const written = { ...rowOfInput(profile), ...nextEdit(present, changed, clock.now()) };
          await tx.update(profiles).set(written).where(eq(profiles.id, present.id));
          return { ...present, ...written };
        })
        .catch(nameTaken);
      forget(actor.tenantId, row.id);
      return profileOfRow(row);
    },

    async delete(actor, id) {
      requireRole(actor, 'admin');
      const row = await store
        .asTenant(actor.tenantId, async (tx) => {
          const present = await locked(tx, id);
          if (present.isDefault) throw new FleetError('CONFLICT', 'the default profile cannot be deleted');
          await tx.delete(profiles).where(eq(profiles.id, present.id));
          return present;
        })
        .catch((error: unknown) => {
          if (error instanceof StoreError && error.code === 'REFERENCE') {
            throw new FleetError('CONFLICT', 'a device has this profile: give its devices another profile first', {
              cause: error,
            });
          }
          throw error;
        });
      forget(actor.tenantId, row.id);
      return profileOfRow(row);
    },
  };
}

/** Returns the row of a profile and locks it until the transaction ends. Throws NOT_FOUND. */
async function locked(tx: Transaction, id: string): Promise<ProfileRow> {
  const [row] = isUuid(id) ? await tx.select().from(profiles).where(eq(profiles.id, id)).for('update') : [];
  if (!row) throw new FleetError('NOT_FOUND', 'the tenant has no profile with this id');
  return row;
}

function nameTaken(error: unknown): never {
  if (error instanceof StoreError && error.constraint === 'profiles_tenant_name') {
    throw new FleetError('CONFLICT', 'another profile has this name: choose another one', {
      field: ['name'],
      cause: error,
    });
  }
  throw error;
}

function defined(changes: Partial<ProfileInput>): Partial<ProfileInput> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function rowOfInput(
  input: ProfileInput,
): Pick<ProfileRow, 'name' | 'mappings' | 'methods' | 'offlineAfter' | 'expectedInterval' | 'awakeTime'> {
  return {
    name: input.name,
    mappings: input.mappings ?? [],
    methods: input.methods ?? [],
    offlineAfter: input.offlineAfter ?? null,
    expectedInterval: input.expectedInterval ?? null,
    awakeTime: input.awakeTime ?? null,
  };
}

/** The casts are safe: checkProfile accepted the JSON before rowOfInput wrote it. */
function profileOfRow(row: ProfileRow): DeviceProfile {
  return {
    ...row,
    tenantId: row.tenantId as TenantId,
    mappings: row.mappings as MetricMapping[],
    methods: row.methods as RpcMethod[],
  };
}
