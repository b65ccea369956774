import { ContentFormat, Path } from '../lwm2m/index.ts';
import type { DecodedPayload } from '../lwm2m/index.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import { checkInstance, checkOperation } from './device-state.ts';
import type { DeviceState } from './device-state.ts';
import { badRequest, notAllowed, notFound, Refusal } from './refusal.ts';
import { creatable, decoded } from './writing.ts';

/** Create (Core 1.2 §6.3.6): the instance that the payload names, or the one with the lowest free id. */
export function create(state: DeviceState, objectId: number, request: CoapRequest): CoapResponse {
  const object = state.objects.get(objectId);
  checkInstance(state, Path.of(objectId));
  if (object === undefined || !object.definition.multiple)
    throw notAllowed(`object /${objectId} allows only one instance`);
  const free = firstFree(state.tree.instanceIds(objectId));
  const { readings, empty } = newInstance(state, objectId, free, request);
  const ids = new Set([...readings.map((it) => it.path.instanceId), ...empty.map((it) => it.instanceId)]);
  if (ids.size > 1) throw badRequest('the payload must contain only one instance');
  const [named = null] = ids;
  const instance = Path.of(objectId, named ?? free);
  if (state.tree.has(instance)) throw badRequest(`${instance} already exists`);
  const values = creatable(state, readings);
  const given = new Set(values.map((placed) => placed.path.resourceId));
  for (const { id, mandatory, operations } of object.definition.resources) {
    if (mandatory && operations === 'RW' && !given.has(id))
      throw badRequest(`the mandatory resource ${instance.child(id)} requires a value`);
  }
  state.tree.addInstance(objectId, instance.instanceId ?? free, object.resources());
  for (const { path, value } of values) state.tree.set(path, value);
  return { code: '2.01', locationPath: instance.segments() };
}

/** Delete (Core 1.2 §6.3.7): an instance, except of Device and Server; since 1.2 also a resource instance. */
export function remove(state: DeviceState, path: Path): CoapResponse {
  checkInstance(state, path);
  if (path.objectId === 3 || path.objectId === 1) throw notAllowed(`${path} can't be deleted`);
  const instanceOfResource = path.level === 'resource-instance' && state.lwm2m === '1.2';
  if (path.level !== 'instance' && !instanceOfResource) throw notAllowed(`${path} can't be deleted`);
  if (instanceOfResource) checkOperation(state, path, 'W');
  if (!state.tree.remove(path)) throw notFound(`${path} does not exist`);
  return { code: '2.02' };
}

/**
 * Decodes a payload that names its instance (`/o/i` in SenML, a wrapped instance in TLV) or contains only resources.
 */
function newInstance(state: DeviceState, objectId: number, free: number, request: CoapRequest): DecodedPayload {
  if (request.payload.length === 0) return { readings: [], empty: [] };
  try {
    return decoded(state, Path.of(objectId), request);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== '4.00') throw error;
    return decoded(state, Path.of(objectId, free), absolute(request, objectId, free));
  }
}

/**
 * In LwM2M CBOR, a Create contains only the resources. Adds the ids of object and instance, so that the usual decoder
 * accepts it.
 */
function absolute(request: CoapRequest, objectId: number, instanceId: number): CoapRequest {
  if (request.contentFormat !== ContentFormat.lwm2mCbor) return request;
  const [mapOfOne, arrayOfTwo, uint16] = [0xa1, 0x82, 0x19];
  const ids = [objectId, instanceId].flatMap((id) => [uint16, id >> 8, id & 0xff]);
  return { ...request, payload: Buffer.concat([Buffer.of(mapOfOne, arrayOfTwo, ...ids), request.payload]) };
}

function firstFree(ids: readonly number[]): number {
  let free = 0;
  while (ids.includes(free)) free += 1;
  return free;
}
