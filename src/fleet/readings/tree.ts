import { sql, type SQL } from 'drizzle-orm';
import type { ReadingOrigin, ResourceType } from '../../lwm2m/index.ts';
import type { Transaction } from '../../store/index.ts';
import type { DeviceId } from '../access/index.ts';
import type { JsonValue } from '../objects/index.ts';
import type { LastValue, TreeChange, ValueSource } from './last-values.ts';
import type { TreeSize } from './largest-tree.ts';

/** Selects a part of the resource tree: `/3`, `/3303/0` or `/3/0/9`. A null id stands for `*` and selects every id. */
export interface TreeSelector {
  readonly ids: readonly (number | null)[];
}

/** The last known value of one resource, or of all instances of a multiple one. */
export interface ResourceState {
  readonly deviceId: DeviceId;
  /** The path of the resource: `/3/0/9`. `value` holds all instances of a multiple resource. */
  readonly path: string;
  readonly objectId: number;
  readonly instanceId: number;
  readonly resourceId: number;
  readonly type: ResourceType | null;
  /** True if the object has no known definition: the type was then guessed from the payload. */
  readonly typeGuessed: boolean;
  /** A multiple resource has an object of instance id → value. Null if the resource exists but its value is not stored. */
  readonly value: JsonValue | Readonly<Record<string, JsonValue>> | null;
  /** Null, as is `source`: the device has the resource, according to a Discover, but no value of it came. */
  readonly timestamp: Date | null;
  readonly source: ReadingOrigin | null;
}

/** Stored as the resource instance id of a single resource and of a multiple resource without instances. */
const SINGLE = -1;

/** A device can have this many resources and resource instances; a change that exceeds it is refused as a whole. */
export const MOST_RESOURCES = 10_000;

/** A change would make the tree of its device larger than MOST_RESOURCES. */
export class TreeTooLarge extends Error {
  override readonly name = 'TreeTooLarge';

  constructor() {
    super(`the device would have more than ${MOST_RESOURCES} resources: its new values are not stored`);
  }
}

/** A row of resource_values as a raw statement returns it. */
interface ValueRow extends Record<string, unknown> {
  readonly device_id: string;
  readonly object_id: number;
  readonly instance_id: number;
  readonly resource_id: number;
  readonly resource_instance_id: number;
  readonly type: string | null;
  readonly guessed: boolean;
  readonly value: string | null;
  /** The driver returns the time as text with a UTC offset. */
  readonly measured_at: string;
  readonly source: string;
  /** True if the statement inserted the row; only `writeTree` selects it. */
  readonly fresh?: boolean;
}

/**
 * Reads the stored resources of several devices, sorted by path, with the instances of a multiple resource in one entry.
 * It runs one statement for any number of devices and selectors. An empty list of selectors selects everything.
 */
export async function readTree(
  tx: Transaction,
  deviceIds: readonly DeviceId[],
  selectors: readonly TreeSelector[],
): Promise<Map<DeviceId, ResourceState[]>> {
  const tree = new Map<DeviceId, ResourceState[]>(deviceIds.map((id) => [id, []]));
  if (deviceIds.length === 0) return tree;
  const id = (level: number) => sql.param(selectors.map(({ ids }) => ids[level] ?? null));
  const selected = sql`exists (
    select from unnest(${id(0)}::int[], ${id(1)}::int[], ${id(2)}::int[], ${id(3)}::int[]) as s(o, i, r, ri)
    where (s.o is null or s.o = object_id) and (s.i is null or s.i = instance_id)
      and (s.r is null or s.r = resource_id) and (s.ri is null or s.ri = resource_instance_id))`;
  const { rows } = await tx.execute<ValueRow>(sql`
    select device_id, object_id, instance_id, resource_id, resource_instance_id, type, guessed, value, measured_at,
      source
    from resource_values
    where device_id = any(${sql.param(deviceIds)}::uuid[]) ${selectors.length > 0 ? sql`and ${selected}` : sql``}
    order by device_id, object_id, instance_id, resource_id, resource_instance_id`);
  for (const state of fold(rows)) tree.get(state.deviceId)?.push(state);
  return tree;
}

/** What `writeTree` wrote. */
export interface WrittenTree {
  /** The resources whose values were written; a multiple resource has all its instances. */
  readonly states: ResourceState[];
  /** The most that any of the devices has that got new resources; null if none did. */
  readonly largest: TreeSize | null;
}

/** Stores a change. Throws TreeTooLarge. */
export async function writeTree(tx: Transaction, tenantId: string, change: TreeChange): Promise<WrittenTree> {
  if (change.gone.length > 0) await removeGone(tx, change);
  if (change.keptOnly.length > 0) await removeAllBut(tx, change);
  if (change.values.length === 0) return { states: [], largest: null };
  const column = <T>(of: (value: LastValue) => T) => sql.param(change.values.map(of));
  // A reading that is older than the stored value, such as one of a late history, does not replace it.
  const { rows } = await tx.execute<ValueRow>(sql`
    insert into resource_values
      (device_id, object_id, instance_id, resource_id, resource_instance_id, tenant_id, type, guessed, value,
        measured_at, source)
    select device_id, object_id, instance_id, resource_id, resource_instance_id, ${tenantId}, type, guessed, value, at,
      source
    from unnest(
      ${column(({ deviceId }) => deviceId)}::uuid[], ${column(({ path }) => path.objectId)}::int[],
      ${column(({ path }) => path.instanceId)}::int[], ${column(({ path }) => path.resourceId)}::int[],
      ${column(({ path }) => path.resourceInstanceId ?? SINGLE)}::int[], ${column(({ type }) => type)}::text[],
      ${column(({ guessed }) => guessed)}::boolean[],
      ${column(({ value }) => value)}::text[],
      ${column(({ measuredAt }) => new Date(measuredAt).toISOString())}::timestamptz[],
      ${column(({ source }) => source)}::text[]
    ) as new(device_id, object_id, instance_id, resource_id, resource_instance_id, type, guessed, value, at, source)
    on conflict on constraint resource_values_pkey do update
      set type = excluded.type, guessed = excluded.guessed, value = excluded.value,
        measured_at = excluded.measured_at, source = excluded.source
      where resource_values.measured_at <= excluded.measured_at
    returning device_id, object_id, instance_id, resource_id, resource_instance_id, type, guessed, value, measured_at,
      source, xmax = 0 as fresh`);
  const largest = await checkSize(tx, rows);
  const measured = rows.filter((row) => row.source !== 'DISCOVER');
  const multiple = measured.filter((row) => row.resource_instance_id >= 0);
  if (multiple.length === 0) return { states: fold(measured), largest };
  const key = (name: 'device_id' | 'object_id' | 'instance_id' | 'resource_id') =>
    sql.param(multiple.map((row) => row[name]));
  const whole = await tx.execute<ValueRow>(sql`
    select device_id, object_id, instance_id, resource_id, resource_instance_id, type, guessed, value, measured_at,
      source
    from resource_values where (device_id, object_id, instance_id, resource_id) in (
      select * from unnest(${key('device_id')}::uuid[], ${key('object_id')}::int[], ${key('instance_id')}::int[],
        ${key('resource_id')}::int[]))
    order by device_id, object_id, instance_id, resource_id, resource_instance_id`);
  return { states: fold([...measured.filter((row) => row.resource_instance_id < 0), ...whole.rows]), largest };
}

/** Checks the size of the trees that got new rows, and returns the most that any of them has. */
async function checkSize(tx: Transaction, rows: readonly ValueRow[]): Promise<TreeSize | null> {
  const grown = [...new Set(rows.filter((row) => row.fresh).map((row) => row.device_id))];
  if (grown.length === 0) return null;
  const sizes = await tx.execute<{ rows: number; objects: number; instances: number; resources: number }>(sql`
    select max(rows)::int as rows, max(objects)::int as objects, max(instances)::int as instances,
      max(resources)::int as resources
    from (
      select count(*) as rows, count(distinct object_id) as objects,
        count(distinct (object_id, instance_id)) as instances,
        count(distinct (object_id, instance_id, resource_id)) as resources
      from resource_values where device_id = any(${sql.param(grown)}::uuid[]) group by device_id) as sizes`);
  const [largest] = sizes.rows;
  if (!largest) return null;
  if (largest.rows > MOST_RESOURCES) throw new TreeTooLarge();
  const { objects, instances, resources } = largest;
  return { objects, instances, resources };
}

/**
 * Returns which of the changes would make the tree of their device too large, by their index. Each change is compared
 * with the stored tree alone.
 */
export async function tooLargeChanges(tx: Transaction, changes: readonly TreeChange[]): Promise<ReadonlySet<number>> {
  const values = changes.flatMap((change, index) => change.values.map((value) => ({ index, ...value })));
  if (values.length === 0) return new Set();
  const column = <T>(of: (value: (typeof values)[number]) => T) => sql.param(values.map(of));
  const { rows } = await tx.execute<{ index: number }>(sql`
    with fresh as (
      select new.index, new.device_id, count(*) as added
      from unnest(
        ${column(({ index }) => index)}::int[], ${column(({ deviceId }) => deviceId)}::uuid[],
        ${column(({ path }) => path.objectId)}::int[], ${column(({ path }) => path.instanceId)}::int[],
        ${column(({ path }) => path.resourceId)}::int[], ${column(({ path }) => path.resourceInstanceId ?? SINGLE)}::int[]
      ) as new(index, device_id, o, i, r, ri)
      left join resource_values v on v.device_id = new.device_id and v.object_id = new.o and v.instance_id = new.i
        and v.resource_id = new.r and v.resource_instance_id = new.ri
      where v.device_id is null
      group by new.index, new.device_id)
    select index from fresh where added + (
      select count(*) from resource_values v where v.device_id = fresh.device_id) > ${MOST_RESOURCES}`);
  return new Set(rows.map(({ index }) => index));
}

async function removeGone(tx: Transaction, { gone, values }: TreeChange): Promise<void> {
  const id = (level: number) => sql.param(gone.map(({ path }) => path.ids[level] ?? null));
  await tx.execute(sql`
    delete from resource_values v
    using unnest(${sql.param(gone.map(({ deviceId }) => deviceId))}::uuid[],
      ${id(0)}::int[], ${id(1)}::int[], ${id(2)}::int[], ${id(3)}::int[],
      ${sql.param(gone.map(({ withDiscovered }) => withDiscovered))}::boolean[]) as g(device_id, o, i, r, ri, discovered)
    where v.device_id = g.device_id and (g.o is null or g.o = v.object_id) and (g.i is null or g.i = v.instance_id)
      and (g.r is null or g.r = v.resource_id) and (g.ri is null or g.ri = v.resource_instance_id)
      and (g.discovered or v.source <> 'DISCOVER') and not ${isStoredAgain(values)}`);
}

/** True for a row v whose value the same change stores. */
function isStoredAgain(values: readonly LastValue[]): SQL {
  const stored = <T>(of: (value: LastValue) => T) => sql.param(values.map(of));
  return sql`exists (
    select from unnest(${stored(({ deviceId }) => deviceId)}::uuid[], ${stored(({ path }) => path.objectId)}::int[],
      ${stored(({ path }) => path.instanceId)}::int[], ${stored(({ path }) => path.resourceId)}::int[],
      ${stored(({ path }) => path.resourceInstanceId ?? SINGLE)}::int[]) as k(device_id, o, i, r, ri)
    where k.device_id = v.device_id and k.o = v.object_id and k.i = v.instance_id and k.r = v.resource_id
      and k.ri = v.resource_instance_id)`;
}

/** Deletes the values of what an object list or a Discover does not name. */
async function removeAllBut(tx: Transaction, { keptOnly, values }: TreeChange): Promise<void> {
  const within = (level: number) => sql.param(keptOnly.map((kept) => kept.within.ids[level] ?? null));
  const paths = keptOnly.flatMap((kept, n) => kept.paths.map(({ ids }) => ({ n, ids })));
  const id = (level: number) => sql.param(paths.map(({ ids }) => ids[level] ?? null));
  await tx.execute(sql`
    delete from resource_values v
    using unnest(${sql.param(keptOnly.map((_, n) => n))}::int[],
      ${sql.param(keptOnly.map(({ deviceId }) => deviceId))}::uuid[], ${within(0)}::int[], ${within(1)}::int[]
    ) as w(n, device_id, o, i)
    where v.device_id = w.device_id and (w.o is null or w.o = v.object_id) and (w.i is null or w.i = v.instance_id)
      and not exists (
        select from unnest(${sql.param(paths.map(({ n }) => n))}::int[], ${id(0)}::int[], ${id(1)}::int[],
          ${id(2)}::int[]) as l(n, o, i, r)
        where l.n = w.n and l.o = v.object_id and (l.i is null or l.i = v.instance_id)
          and (l.r is null or l.r = v.resource_id))
      and not ${isStoredAgain(values)}`);
}

/** Turns rows, sorted by path, into resources; the instances of a multiple resource become one. */
function fold(rows: readonly ValueRow[]): ResourceState[] {
  const states: ResourceState[] = [];
  for (const row of rows) {
    const previous = states.at(-1);
    const same =
      previous?.deviceId === row.device_id &&
      previous.objectId === row.object_id &&
      previous.instanceId === row.instance_id &&
      previous.resourceId === row.resource_id;
    // The row -1 sorts before the instances; if instances follow it, it is outdated.
    if (same) states[states.length - 1] = withInstance(previous, row);
    else states.push(single(row));
  }
  return states;
}

function single(row: ValueRow): ResourceState {
  const isDiscovered = row.source === ('DISCOVER' satisfies ValueSource);
  // The casts are safe: ids, types and sources were written from these types, and valueToJson made the JSON.
  const state: ResourceState = {
    deviceId: row.device_id as DeviceId,
    path: `/${row.object_id}/${row.instance_id}/${row.resource_id}`,
    objectId: row.object_id,
    instanceId: row.instance_id,
    resourceId: row.resource_id,
    type: row.type as ResourceType | null,
    typeGuessed: row.guessed,
    value: row.value === null ? null : (JSON.parse(row.value) as JsonValue),
    timestamp: isDiscovered ? null : new Date(row.measured_at),
    source: isDiscovered ? null : (row.source as ReadingOrigin),
  };
  return row.resource_instance_id < 0 ? state : withInstance({ ...state, value: {} }, row);
}

function withInstance(state: ResourceState, row: ValueRow): ResourceState {
  const known = typeof state.value === 'object' && state.value !== null ? state.value : {};
  const instance = row.value === null ? {} : { [row.resource_instance_id]: JSON.parse(row.value) as JsonValue };
  const { timestamp, source } = state;
  const measured = new Date(row.measured_at);
  const newer = timestamp === null || measured >= timestamp;
  return {
    ...state,
    type: row.type as ResourceType | null, // see single
    typeGuessed: row.guessed,
    value: { ...known, ...instance },
    timestamp: newer ? measured : timestamp,
    source: newer ? (row.source as ReadingOrigin) : source, // see single
  };
}
