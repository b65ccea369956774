import type { Path } from '../lwm2m/index.ts';
import type { CoapResponse } from './coap-message.ts';
import { checkOperation, checkPlace, definitionAt } from './device-state.ts';
import type { DeviceContents, DeviceState } from './device-state.ts';
import { content, isComposite } from './formats.ts';
import { notAcceptable, Refusal } from './refusal.ts';
import type { PlacedValue } from './resource-tree.ts';

/** Read (Core 1.2 §6.3.1). Of an object or instance, it returns the readable resources. */
export function read(state: DeviceState, path: Path, accept: number | null): CoapResponse {
  checkPlace(state, path);
  if (path.resourceId !== null) checkOperation(state, path, 'R');
  return content({ lwm2m: state.lwm2m, accept, path, values: readable(state, path), empty: emptyPlaces(state, path) });
}

/** Read-Composite (Core 1.2 §6.3.8): best effort; missing and unreadable paths are omitted. */
export function readComposite(state: DeviceState, paths: readonly Path[], root: Path, accept: number): CoapResponse {
  if (!isComposite(accept)) throw notAcceptable(`content format ${accept} can't encode a composite`);
  const values = new Map<string, PlacedValue>();
  for (const path of paths) {
    if (!isThere(state, path)) continue;
    for (const placed of readable(state, path)) values.set(placed.path.toString(), placed);
  }
  return content({ lwm2m: state.lwm2m, accept, path: root, values: [...values.values()] });
}

/** Returns the readable values at and below the path. */
export function readable(state: DeviceContents, path: Path): PlacedValue[] {
  return state.tree.values(path).filter((placed) => definitionAt(state, placed.path)?.operations.includes('R'));
}

function isThere(state: DeviceState, path: Path): boolean {
  if (path.level === 'root') return true;
  try {
    checkPlace(state, path);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Returns the instances and multiple resources without values, which some formats can represent. */
function emptyPlaces(state: DeviceState, path: Path): Path[] {
  const { tree } = state;
  if (path.level === 'object') {
    return tree.instanceIds(path.objectId ?? 0).flatMap((id) => emptyPlaces(state, path.child(id)));
  }
  if (path.level === 'instance') {
    const resources = tree.resourceIds(path.objectId ?? 0, path.instanceId ?? 0).map((id) => path.child(id));
    const empty = resources.flatMap((resource) => emptyPlaces(state, resource));
    return resources.length === 0 ? [path] : empty;
  }
  const readableHere = definitionAt(state, path)?.operations.includes('R') ?? false;
  return readableHere && tree.resourceInstanceIds(path)?.length === 0 ? [path] : [];
}
