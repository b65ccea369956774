import { randomUUID } from 'node:crypto';
import { eq, inArray, or, type SQL } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { Path, type ObjectModel } from '../../lwm2m/index.ts';
import { bootstrapPlans, devices, lockUntilEnd, profiles, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type TenantId, requireRole } from '../access/index.ts';
import { checkNotStale, FleetError, isUuid, laterThan, staleEdit } from '../common/index.ts';
import type { Seal } from '../credentials/index.ts';
import type { Device } from '../devices/index.ts';
import type { WriteValue } from '../objects/index.ts';
import { checkPlan } from './bootstrap-rules.ts';
import { configurationOf } from './bootstrap-template.ts';
import type { BootstrapPlan, BootstrapTarget, PlanOwner, StoredPlan } from './bootstrap.ts';

/** Shown instead of a secret. */
const BLANK = '[redacted]';
/** The resources of Security (/0) and OSCORE (/21) that hold keys, by object id. */
const SECRETS: Readonly<Record<string, readonly string[]>> = { '0': ['5', '8'], '21': ['0'] };
/** The key for the trial of a plan. */
const TRIAL_PSK = { identity: 'trial', key: new Uint8Array(32) };

type Later = 'securityInstanceId' | 'serverInstanceId';
/** A plan as it is stored. Plans of earlier versions have no instance ids, which were 0, and no length of keys. */
type PlanOfAnyVersion = Omit<BootstrapPlan, 'server' | 'keyLength'> & {
  readonly server: (Omit<BootstrapTarget, Later> & Partial<Pick<BootstrapTarget, Later>>) | null;
} & Partial<Pick<BootstrapPlan, 'keyLength'>>;

/** Keeps the plans of profiles and devices in the database, encrypted because they may hold keys. */
export class BootstrapPlans {
  readonly #store: Store;
  readonly #seal: Seal;
  readonly #clock: Clock;
  readonly #modelOf: (tenantId: TenantId) => ObjectModel;

  constructor(store: Store, seal: Seal, clock: Clock, modelOf: (tenantId: TenantId) => ObjectModel) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
    this.#modelOf = modelOf;
  }

  /** Returns the device's own plan, else its profile's; null if neither has one. */
  async of({ tenantId, id, profileId }: Device): Promise<BootstrapPlan | null> {
    const owners = or(eq(bootstrapPlans.deviceId, id), eq(bootstrapPlans.profileId, profileId));
    const rows = await this.#store.asTenant(tenantId, (tx) => tx.select().from(bootstrapPlans).where(owners));
    const row = rows.find(({ deviceId }) => deviceId !== null) ?? rows[0];
    return row ? this.#open(row) : null;
  }

  /** Returns the owner's plan with its secrets redacted; null if there is none. For admins. */
  async shown(actor: Actor, owner: PlanOwner): Promise<StoredPlan | null> {
    requireRole(actor, 'admin');
    const ids = 'deviceId' in owner ? owner.deviceId : owner.profileId;
    if (!isUuid(ids)) return null;
    const [row] = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx.select().from(bootstrapPlans).where(ownedBy(owner)),
    );
    if (!row) return null;
    const plan = this.#open(row);
    return shown(plan, row.updatedAt);
  }

  /**
   * Replaces the owner's plan and returns the new one, with its secrets redacted; null deletes it. For admins. Throws
   * VALIDATION for a plan that could not be carried out, NOT_FOUND for an unknown owner. `ifUpdatedAt`: throws CONFLICT
   * unless the present plan was set at this time.
   */
  async set(
    actor: Actor,
    owner: PlanOwner,
    plan: BootstrapPlan | null,
    ifUpdatedAt?: Date | null,
  ): Promise<StoredPlan | null> {
    requireRole(actor, 'admin');
    if (plan) {
      checkPlan(plan);
      configurationOf(plan, 'trial', TRIAL_PSK, { model: this.#modelOf(actor.tenantId), objects: [] });
    }
    return this.#store.asTenant(actor.tenantId, async (tx) => {
      await exists(tx, owner);
      await lockUntilEnd(tx, `bootstrap plan of ${Object.values(owner).join()}`);
      const [present] = await tx.delete(bootstrapPlans).where(ownedBy(owner)).returning();
      checkPresent(present, ifUpdatedAt);
      if (!plan) return null;
      const id = randomUUID();
      const updatedAt = laterThan(present?.updatedAt ?? new Date(0), this.#clock.now());
      await tx.insert(bootstrapPlans).values({
        id,
        tenantId: actor.tenantId,
        ...owner,
        sealedPlan: this.#seal.close(Buffer.from(JSON.stringify(plan)), planContext(id)),
        updatedAt,
      });
      return shown(plan, updatedAt);
    });
  }

  #open({ id, sealedPlan }: { id: string; sealedPlan: Uint8Array }): BootstrapPlan {
    // The cast is safe: `set` checked the plan before it sealed it.
    const stored = JSON.parse(this.#seal.open(sealedPlan, planContext(id)).toString()) as PlanOfAnyVersion;
    const { server } = stored;
    return { keyLength: 32, ...stored, server: server && { securityInstanceId: 0, serverInstanceId: 0, ...server } };
  }
}

/** Binds a sealed plan to its row. */
export function planContext(id: string): string {
  return `bootstrap plan ${id}`;
}

function ownedBy(owner: PlanOwner): SQL {
  return 'deviceId' in owner
    ? eq(bootstrapPlans.deviceId, owner.deviceId)
    : eq(bootstrapPlans.profileId, owner.profileId);
}

/** Throws NOT_FOUND if the tenant does not have the owner. */
async function exists(tx: Transaction, owner: PlanOwner): Promise<void> {
  const [table, id] = 'deviceId' in owner ? [devices, owner.deviceId] : [profiles, owner.profileId];
  const found = isUuid(id)
    ? await tx
        .select({ id: table.id })
        .from(table)
        .where(inArray(table.id, [id]))
    : [];
  if (!found[0]) throw new FleetError('NOT_FOUND', table === devices ? 'no such device' : 'no such profile');
}

/** Throws CONFLICT unless the present plan was set at `ifUpdatedAt`; null or undefined accepts any. */
function checkPresent(present: { readonly updatedAt: Date } | undefined, ifUpdatedAt: Date | null | undefined): void {
  if (present) {
    const fieldTimes = { plan: present.updatedAt.toISOString() };
    return checkNotStale('the bootstrap plan', { ...present, fieldTimes }, ifUpdatedAt);
  }
  if (ifUpdatedAt != null) throw staleEdit('the bootstrap plan was removed', ['plan'], null);
}

function shown(plan: BootstrapPlan, updatedAt: Date): StoredPlan {
  return { ...plan, values: plan.values.map(blanked), updatedAt };
}

/** Replaces the secrets of a value by `BLANK`. */
function blanked({ path, value }: WriteValue): WriteValue {
  const { objectId, resourceId } = Path.parse(path);
  const secrets = SECRETS[String(objectId)] ?? [];
  if (resourceId !== null) return { path, value: secrets.includes(String(resourceId)) ? BLANK : value };
  if (typeof value !== 'object') return { path, value };
  const shown = Object.entries(value).map(([id, one]) => [id, secrets.includes(id) ? BLANK : one]);
  return { path, value: Object.fromEntries(shown) };
}
