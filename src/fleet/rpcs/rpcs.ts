import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { Path, type ObjectModel } from '../../lwm2m/index.ts';
import { devices, rpcs, rpcTransitions, StoreError, type Store } from '../../store/index.ts';
import { type Actor, type DeviceId, type TenantId, requireRole } from '../access/index.ts';
import { badCursor, FleetError, pageOf, windowOf, isUuid } from '../common/index.ts';
import type { Seal } from '../credentials/index.ts';
import { deviceKey } from '../devices/index.ts';
import { isSecretPath } from '../objects/index.ts';
import { fieldOfCall, type OperationInput, operationOf, planOperation, type PlanSource } from '../operations/index.ts';
import type { Roster } from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import { defaultDelivery } from './delivery.ts';
import { fingerprintOf, type FingerprintedCall } from './fingerprint.ts';
import { redact } from './redaction.ts';
import type { RpcDispatcher } from './rpc-dispatcher.ts';
import type { RpcJournal } from './rpc-journal.ts';
import { rpcOfRow, transitionOfRow, type RpcRow } from './rpc-row.ts';
import { RPC_LIMITS, type Rpc, type RpcMode, type RpcOptions, type Rpcs, type RpcTransition } from './rpc.ts';
import { Waits } from './waits.ts';

export interface RpcsParts {
  readonly store: Store;
  readonly journal: RpcJournal;
  readonly dispatcher: RpcDispatcher;
  readonly profiles: ProfileBook;
  readonly roster: Roster;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  readonly clock: Clock;
  /** Makes the fingerprints of calls with an idempotency key. */
  readonly seal: Seal;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_EXPIRY_MS = 7 * 24 * 3_600_000;
const LONGEST_EXPIRY_MS = 366 * 24 * 3_600_000;

/** Makes the service that calls devices and lists a tenant's calls. */
export function createRpcs({ store, journal, dispatcher, profiles, roster, modelOf, clock, seal }: RpcsParts): Rpcs {
  const waits = new Waits();

  /** Resolves with the device and what its operations are planned by; rejects with NOT_FOUND for an unknown device. */
  async function target(
    actor: Actor,
    id: string,
  ): Promise<{ deviceId: DeviceId; profileId: string; source: PlanSource }> {
    const rows = isUuid(id)
      ? await store.asTenant(actor.tenantId, (tx) => tx.select().from(devices).where(eq(devices.id, id)))
      : [];
    if (!rows[0]) throw new FleetError('NOT_FOUND', 'no such device', { field: ['deviceId'] });
    const deviceId = rows[0].id as DeviceId; // it was stored from a DeviceId
    const registration = roster.get(deviceKey(actor.tenantId, deviceId))?.registration;
    const source: PlanSource = {
      model: modelOf(actor.tenantId),
      objects: registration?.objects ?? [],
      // For a device that is not registered, assume the newest version. The operation is planned again before it is
      // sent.
      lwm2mVersion: registration?.lwm2mVersion ?? '1.2',
      registration,
    };
    return { deviceId, profileId: rows[0].profileId, source };
  }

  async function submit(
    actor: Actor,
    deviceId: DeviceId,
    call: FingerprintedCall & { operation: OperationInput },
    source: PlanSource,
    options: RpcOptions,
  ): Promise<Rpc> {
    const { mode, timeoutMs, expiresAt, idempotencyKey } = checkOptions(options, clock.now());
    const secret = (path: string, value: unknown): boolean => writesSecret(call.operation, path, value, source);
    // The profile names a method's parameters: when the method writes a secret, any parameter may hold it.
    const isMethod = call.method !== call.operation.kind;
    const writes = 'values' in call.operation ? call.operation.values : [];
    const hidden = isMethod && writes.some(({ path, value }) => secret(path, value));
    const params = hidden ? '[redacted]' : redact(call.params, secret);
    const row: Omit<RpcRow, 'sequence'> = {
      id: randomUUID(),
      tenantId: actor.tenantId,
      deviceId,
      method: call.method,
      params: params ?? null,
      operation: call.operation,
      mode,
      status: 'QUEUED',
      attempts: 0,
      timeoutMs,
      createdBy: actor.subject,
      createdAt: new Date(clock.now()),
      sentAt: null,
      completedAt: null,
      expiresAt,
      delivery: options.delivery ?? defaultDelivery(call.operation),
      idempotencyKey,
      fingerprint: idempotencyKey === null ? null : fingerprintOf(seal, actor, deviceId, call, options),
      result: null,
      error: null,
    };
    const { rpc, fresh } = await journal.record(row).catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'REFERENCE') {
        throw new FleetError('NOT_FOUND', 'no such device', { field: ['deviceId'], cause: error });
      }
      throw error;
    });
    if (fresh) dispatcher.dispatch(rpc, call.operation);
    return rpc.mode === 'TWO_WAY' ? waits.for(dispatcher.ended(rpc), () => present(rpc)) : rpc;
  }

  /** The call as it is stored now. */
  async function present(rpc: Rpc): Promise<Rpc> {
    const rows = await store.asTenant(rpc.tenantId, (tx) => tx.select().from(rpcs).where(eq(rpcs.id, rpc.id)));
    return rows[0] ? rpcOfRow(rows[0]) : rpc;
  }

  return {
    endWaits: () => waits.end(),

    async many(actor, ids) {
      const wanted = ids.filter(isUuid);
      if (wanted.length === 0) return ids.map(() => null);
      const rows = await store.asTenant(actor.tenantId, (tx) => tx.select().from(rpcs).where(inArray(rpcs.id, wanted)));
      const byId = new Map(rows.map((row) => [row.id, rpcOfRow(row)]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },

    async page(actor, deviceId, request, status) {
      const window = windowOf(request, 'rpcs', deviceId, status ?? null);
      const { from, backward } = window;
      const after = from ? Number(from.key) : null;
      if (after !== null && !Number.isSafeInteger(after)) {
        throw badCursor(backward);
      }
      if (!isUuid(deviceId)) return { edges: [], hasNextPage: false, hasPreviousPage: false };
      // Newest first.
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(rpcs)
          .where(
            and(
              eq(rpcs.deviceId, deviceId),
              status ? inArray(rpcs.status, [...status]) : undefined,
              after === null ? undefined : backward ? gt(rpcs.sequence, after) : lt(rpcs.sequence, after),
            ),
          )
          .orderBy(backward ? asc(rpcs.sequence) : desc(rpcs.sequence))
          .limit(window.size + 1),
      );
      return pageOf(rows, window, (row) => ({ key: String(row.sequence), id: row.id }), rpcOfRow);
    },

    async transitions(actor, rpcIds) {
      const wanted = rpcIds.filter(isUuid);
      const transitions = new Map<string, RpcTransition[]>(rpcIds.map((id) => [id, []]));
      if (wanted.length === 0) return transitions;
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(rpcTransitions)
          .where(inArray(rpcTransitions.rpcId, wanted))
          .orderBy(asc(rpcTransitions.rpcId), asc(rpcTransitions.ordinal)),
      );
      for (const row of rows) transitions.get(row.rpcId)?.push(transitionOfRow(row));
      return transitions;
    },

    async call(actor, deviceId, method, params, options = {}) {
      requireRole(actor, 'operator');
      const device = await target(actor, deviceId);
      const { methods } = await profiles.of(actor.tenantId, device.profileId);
      const operation = operationOf(method, params ?? {}, methods);
      checkCall(operation, device.source, (field) => fieldOfCall(method, field, methods));
      return submit(actor, device.deviceId, { by: 'call', method, params, operation }, device.source, options);
    },

    async perform(actor, deviceId, operation, options = {}) {
      requireRole(actor, 'operator');
      const device = await target(actor, deviceId);
      planOperation(operation, device.source);
      const { kind, ...params } = operation;
      return submit(actor, device.deviceId, { by: 'perform', method: kind, params, operation }, device.source, options);
    },

    async cancel(actor, id) {
      requireRole(actor, 'operator');
      const rows = isUuid(id)
        ? await store.asTenant(actor.tenantId, (tx) => tx.select().from(rpcs).where(eq(rpcs.id, id)))
        : [];
      if (!rows[0]) throw new FleetError('NOT_FOUND', 'no such RPC', { field: ['id'] });
      const cancelled = await dispatcher.cancel(rpcOfRow(rows[0]));
      if (!cancelled) {
        throw new FleetError('CONFLICT', `the call can't be cancelled: the device has received it, or it has ended`);
      }
      return cancelled;
    },
  };
}

/** Plans the operation that a method became. An error names the part of the call, not the field of the operation. */
function checkCall(
  operation: OperationInput,
  source: PlanSource,
  fieldOf: (field: readonly string[]) => readonly string[],
): void {
  try {
    planOperation(operation, source);
  } catch (error) {
    if (!(error instanceof FleetError && error.code === 'VALIDATION')) throw error;
    throw new FleetError('VALIDATION', error.message, { field: fieldOf(error.field), cause: error });
  }
}

/**
 * Says whether the operation writes a secret at `path`. In a Create, `path` is relative to the new instance; in a
 * Write, `value` may be a whole instance.
 */
function writesSecret(operation: OperationInput, path: string, value: unknown, source: PlanSource): boolean {
  const absolute = operation.kind === 'create' ? `/${operation.objectId}/0/${path.replace(/^\//, '')}` : path;
  const below = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return [absolute, ...below.map((id) => `${absolute}/${id}`)].some((place) => isSecretPlace(place, source));
}

function isSecretPlace(text: string, source: PlanSource): boolean {
  let path: Path;
  try {
    path = Path.parse(text);
  } catch {
    return false;
  }
  return isSecretPath(path, source);
}

function refuse(field: string, message: string): never {
  throw new FleetError('VALIDATION', message, { field: [field] });
}

interface CheckedOptions {
  readonly mode: RpcMode;
  readonly timeoutMs: number;
  readonly expiresAt: Date | null;
  readonly idempotencyKey: string | null;
}

function checkOptions(options: RpcOptions, now: number): CheckedOptions {
  const mode = options.mode ?? 'TWO_WAY';
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > RPC_LIMITS.timeoutMs) {
    refuse('timeoutMs', `${timeoutMs} is not a whole number in 1..${RPC_LIMITS.timeoutMs} milliseconds: give one`);
  }
  const { idempotencyKey = null } = options;
  if (idempotencyKey !== null && (idempotencyKey.length === 0 || idempotencyKey.length > RPC_LIMITS.idempotencyKey)) {
    refuse(
      'idempotencyKey',
      `the key has ${idempotencyKey.length} characters: it must have 1..${RPC_LIMITS.idempotencyKey}`,
    );
  }
  if (idempotencyKey !== null && /[\p{Surrogate}\p{Control}]/u.test(idempotencyKey)) {
    refuse('idempotencyKey', 'the key has a control character or half of a surrogate pair: remove it');
  }
  if (mode !== 'PERSISTENT') {
    if (options.expiresAt) refuse('expiresAt', 'only a PERSISTENT call expires: leave expiresAt out, or use timeoutMs');
    return { mode, timeoutMs, expiresAt: null, idempotencyKey };
  }
  const expiresAt = options.expiresAt ?? new Date(now + DEFAULT_EXPIRY_MS);
  const left = expiresAt.getTime() - now;
  if (!(left > 0 && left <= LONGEST_EXPIRY_MS)) {
    refuse('expiresAt', `${String(options.expiresAt)} is not within the next 366 days: give a time that is`);
  }
  return { mode, timeoutMs, expiresAt, idempotencyKey };
}
