import type { Peer } from '../../coap/index.ts';
import { decodeLinks } from '../codec/index.ts';
import type { Link } from '../link-format.ts';
import type { RegisterParameters, UpdateParameters } from './register-query.ts';
import { registeredObjects, type RegisteredObjects } from './registered-objects.ts';
import type { Lwm2mVersion, Registration } from './registration.ts';

/** The part of the object list that a registration stores. */
export type ObjectList = Pick<RegisteredObjects, 'rootPath' | 'contentFormats' | 'objects'>;

export type ObjectListResult =
  | { readonly ok: true; readonly list: ObjectList }
  | { readonly ok: false; readonly message: string };

/**
 * Reads the payload of a Register and adds the objects of its Profile IDs. An object in both lists is one object
 * (Core 1.2 §6.2.1.2). Never throws.
 */
export function readObjectList(
  payload: Uint8Array,
  version: Lwm2mVersion,
  profile: readonly Link[] = [],
): ObjectListResult {
  return readLinks(payload, (own) => registeredObjects([...own, ...profile], version));
}

/**
 * Reads the payload of an Update, which replaces the complete list. Without a root link the alternate path stays;
 * without `ct` the content formats stay. Never throws.
 */
export function readUpdatedList(
  payload: Uint8Array,
  before: Registration,
  profile: readonly Link[] = [],
): ObjectListResult {
  const { lwm2mVersion, rootPath, contentFormats } = before;
  const knownRoot: Link = { uri: rootPath, attributes: { rt: 'oma.lwm2m' } };
  const read = readLinks(payload, (own) => {
    const links = [...own, ...profile];
    const found = registeredObjects(links, lwm2mVersion);
    const rooted = links.some(({ uri }) => uri === '/') || (found.ok && found.rootPath !== '/');
    return rooted ? found : registeredObjects([knownRoot, ...links], lwm2mVersion);
  });
  if (!read.ok || read.list.contentFormats.length > 0) return read;
  return { ok: true, list: { ...read.list, contentFormats } };
}

function readLinks(
  payload: Uint8Array,
  read: (links: readonly Link[]) => ReturnType<typeof registeredObjects>,
): ObjectListResult {
  let links: readonly Link[];
  try {
    links = decodeLinks(payload);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : 'invalid link format' };
  }
  const result = read(links);
  if (!result.ok) return result;
  const { rootPath, contentFormats, objects } = result;
  return { ok: true, list: { rootPath, contentFormats, objects } };
}

/** The peer, transport and time of a Register or Update. */
export interface Origin {
  readonly peer: Peer;
  readonly transport: Registration['transport'];
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Builds the registration of a Register. */
export function registrationOf(
  identity: { readonly id: string; readonly deviceKey: string; readonly endpoint: string },
  parameters: RegisterParameters,
  list: ObjectList,
  { peer, transport, at }: Origin,
): Registration {
  const { lwm2mVersion, lifetime, binding, queueMode, smsNumber, profileIds, additional } = parameters;
  return {
    ...identity,
    lwm2mVersion,
    lifetime,
    binding,
    queueMode,
    smsNumber,
    profileIds,
    ...list,
    additional,
    peer,
    transport,
    registeredAt: at,
    updatedAt: at,
    expiresAt: expiryOf(lifetime, at),
  };
}

/** Applies an Update to a registration: parameters that it leaves out stay (Core 1.2 §6.2.2). */
export function updatedRegistration(
  before: Registration,
  parameters: UpdateParameters,
  list: ObjectList | null,
  { peer, transport, at }: Origin,
): Registration {
  const { additional, ...said } = parameters;
  const lifetime = parameters.lifetime ?? before.lifetime;
  return {
    ...before,
    ...withoutUndefined(said),
    ...list,
    // Replaced, not merged: otherwise repeated Updates could add names without limit.
    additional: Object.keys(additional).length > 0 ? additional : before.additional,
    peer,
    transport,
    updatedAt: at,
    expiresAt: expiryOf(lifetime, at),
  };
}

/** A lifetime of 0 is infinite (Core 1.2 Appendix E.2, resource 1). */
function expiryOf(lifetime: number, from: number): number | null {
  return lifetime === 0 ? null : from + lifetime * 1000;
}

function withoutUndefined(parameters: Omit<UpdateParameters, 'additional'>): Omit<UpdateParameters, 'additional'> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));
}
