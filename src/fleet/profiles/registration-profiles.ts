import { asc, count, desc, eq, gt, lt } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { isProfileId, Lwm2mError, parseLinks, registeredObjects, type Link } from '../../lwm2m/index.ts';
import { lockUntilEnd, registrationProfiles, type Store } from '../../store/index.ts';
import { type Actor, type TenantId, requireRole } from '../access/index.ts';
import {
  checkNotStale,
  FleetError,
  laterThan,
  type Page,
  type PageRequest,
  pageOf,
  staleEdit,
  windowOf,
} from '../common/index.ts';

/**
 * The list of objects that a Profile ID stands for. A device that registers with the Profile ID does not send the list
 * (Core 1.2 §6.2.1.2).
 */
export interface RegistrationProfile {
  /** `6:1234abcd`, `oma:…` or `v:…`. */
  readonly profileId: string;
  /** The objects in link format (RFC 6690), as in the body of a Register: `</1/0>,</3/0>`. */
  readonly links: string;
  readonly updatedAt: Date;
}

const MOST_PROFILES = 1_000;
const LONGEST_ID = 255;
const LONGEST_LINKS = 16 * 1024;

/** Stores the Profile IDs with which a tenant's devices may register. */
export class RegistrationProfiles {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Returns the links of a Profile ID; null if the tenant has not stored it. */
  async links(tenantId: TenantId, profileId: string): Promise<readonly Link[] | null> {
    const [row] = await this.#store.asTenant(tenantId, (tx) =>
      tx.select().from(registrationProfiles).where(eq(registrationProfiles.profileId, profileId)),
    );
    return row ? parseLinks(row.links) : null;
  }

  /** Returns a page of the tenant's Profile IDs in ascending order. */
  async page(actor: Actor, request: PageRequest): Promise<Page<RegistrationProfile>> {
    const window = windowOf(request, 'registration profiles');
    const { from, backward } = window;
    const { profileId } = registrationProfiles;
    const rows = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx
        .select()
        .from(registrationProfiles)
        .where(from ? (backward ? lt : gt)(profileId, from.id) : undefined)
        .orderBy((backward ? desc : asc)(profileId))
        .limit(window.size + 1),
    );
    return pageOf(
      rows,
      window,
      (row) => ({ key: '', id: row.profileId }),
      (row) => row,
    );
  }

  /**
   * Creates or replaces the links of a Profile ID. Throws VALIDATION if a Register could not carry the id or the links.
   * `ifUpdatedAt`: throws CONFLICT unless the present links were set at this time.
   */
  async set(
    actor: Actor,
    profile: { profileId: string; links: string },
    ifUpdatedAt?: Date | null,
  ): Promise<RegistrationProfile> {
    requireRole(actor, 'admin');
    checkProfileId(profile.profileId);
    checkLinks(profile.links);
    return this.#store.asTenant(actor.tenantId, async (tx) => {
      await lockUntilEnd(tx, `Profile IDs of ${actor.tenantId}`);
      const { tenantId, profileId } = registrationProfiles;
      const [present] = await tx.select().from(registrationProfiles).where(eq(profileId, profile.profileId));
      checkPresent(present, ifUpdatedAt);
      const updatedAt = laterThan(present?.updatedAt ?? new Date(0), this.#clock.now());
      await tx
        .insert(registrationProfiles)
        .values({ ...profile, tenantId: actor.tenantId, updatedAt })
        .onConflictDoUpdate({ target: [tenantId, profileId], set: { links: profile.links, updatedAt } });
      const [total] = await tx.select({ number: count() }).from(registrationProfiles);
      if ((total?.number ?? 0) > MOST_PROFILES)
        throw wrong('profileId', `a tenant can have at most ${MOST_PROFILES} Profile IDs: delete one first`);
      return { ...profile, updatedAt };
    });
  }

  /** Registered devices stay registered; the next Register with this Profile ID is refused. Throws NOT_FOUND. */
  async delete(actor: Actor, profileId: string): Promise<RegistrationProfile> {
    requireRole(actor, 'admin');
    checkProfileId(profileId);
    const [deleted] = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx.delete(registrationProfiles).where(eq(registrationProfiles.profileId, profileId)).returning(),
    );
    if (!deleted) throw new FleetError('NOT_FOUND', 'the tenant has no such Profile ID');
    return deleted;
  }
}

/** Throws CONFLICT unless the present links were set at `ifUpdatedAt`; null or undefined accepts any. */
function checkPresent(present: RegistrationProfile | undefined, ifUpdatedAt: Date | null | undefined): void {
  if (present) {
    const fieldTimes = { links: present.updatedAt.toISOString() };
    return checkNotStale('the registration profile', { ...present, fieldTimes }, ifUpdatedAt);
  }
  if (ifUpdatedAt != null) throw staleEdit('the registration profile was deleted', ['links'], null);
}

function checkProfileId(profileId: string): void {
  if (profileId.length > LONGEST_ID || !isProfileId(profileId)) {
    throw wrong('profileId', `${JSON.stringify(profileId.slice(0, 80))} is not a Profile ID such as 6:1234abcd`);
  }
}

function checkLinks(text: string): void {
  if (text.length > LONGEST_LINKS) throw wrong('links', `must have at most ${LONGEST_LINKS} characters`);
  // Profile IDs require LwM2M 1.2.
  const read = registeredObjects(parsed(text), '1.2');
  if (!read.ok) throw wrong('links', read.message);
  const [bad] = read.dropped;
  if (bad) throw wrong('links', `<${bad.uri.slice(0, 40)}> is not an object or an instance that a device can register`);
  if (read.objects.length === 0) throw wrong('links', 'must name at least one object, such as </3/0>');
}

function parsed(text: string): readonly Link[] {
  try {
    return parseLinks(text);
  } catch (error) {
    if (error instanceof Lwm2mError) throw wrong('links', error.message, error);
    throw error;
  }
}

function wrong(field: keyof RegistrationProfile, message: string, cause?: unknown): FleetError {
  return new FleetError('VALIDATION', `${field}: ${message}`, { field: [field], cause });
}
