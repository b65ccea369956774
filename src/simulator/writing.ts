import { decode, decodeComposite, Lwm2mError } from '../lwm2m/index.ts';
import type { DecodedPayload, Path, Reading, TypedValue } from '../lwm2m/index.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import { checkInstance, checkOperation, definitionAt } from './device-state.ts';
import type { DeviceState } from './device-state.ts';
import { isSupported } from './formats.ts';
import { badRequest, notAllowed, notFound, Refusal, unsupportedFormat } from './refusal.ts';
import type { PlacedValue } from './resource-tree.ts';
import { numberOf } from './typed.ts';

const CHANGED: CoapResponse = { code: '2.04' };

/**
 * Write (Core 1.2 §6.3.3): writes all values or none. Mode `replace` also removes what the payload does not contain:
 * the writable optional resources of an instance, and the instances of a multiple resource.
 */
export function write(state: DeviceState, path: Path, request: CoapRequest, mode: 'replace' | 'update'): CoapResponse {
  checkInstance(state, path);
  if (path.resourceId !== null) checkWritable(state, path);
  if (path.resourceInstanceId !== null && !state.tree.has(path.cut(3))) throw notFound(`${path.cut(3)} does not exist`);
  const { readings, empty } = decoded(state, path, request);
  for (const reading of readings) checkValue(state, reading);
  for (const place of empty) if (place.resourceId !== null) checkWritable(state, place);
  if (path.resourceId !== null && readings.length === 0 && empty.length === 0)
    throw badRequest('the payload contains no value');
  if (mode === 'replace') drop(state, path, readings);
  for (const place of empty) if (place.resourceId !== null) state.tree.setResource(place, new Map());
  for (const reading of readings) state.tree.set(reading.path, valueOf(reading));
  return CHANGED;
}

/**
 * Write-Composite (Core 1.2 §6.3.9): writes values at any paths and deletes resource instances (null); all or nothing.
 */
export function writeComposite(state: DeviceState, request: CoapRequest, root: Path): CoapResponse {
  const { readings, deleted } = decodeComposite(decoding(state, root, request));
  for (const reading of readings) {
    checkInstance(state, reading.path);
    checkWritable(state, reading.path);
    checkValue(state, reading);
  }
  for (const path of deleted) {
    checkInstance(state, path);
    checkWritable(state, path);
    if (path.resourceInstanceId === null) throw notAllowed(`null deletes only resource instances, and ${path} is none`);
    if (!state.tree.has(path)) throw notFound(`${path} does not exist`);
  }
  for (const path of deleted) state.tree.remove(path);
  for (const reading of readings) state.tree.set(reading.path, valueOf(reading));
  return CHANGED;
}

/** Decodes the payload with the types of the model. */
export function decoded(state: DeviceState, path: Path, request: CoapRequest): DecodedPayload {
  return refusing(() => decode(decoding(state, path, request)));
}

/** Returns the values for a new instance, without those that only the device may set (Core 1.2 §6.3.6). */
export function creatable(state: DeviceState, readings: readonly Reading[]): PlacedValue[] {
  const writable = readings.filter((reading) => {
    checkKnown(state, reading.path);
    return definitionAt(state, reading.path)?.operations.includes('W');
  });
  for (const reading of writable) checkValue(state, reading);
  return writable.map((reading) => ({ path: reading.path, value: valueOf(reading) }));
}

export function decoding(state: DeviceState, path: Path, { contentFormat, payload }: CoapRequest) {
  // A payload without Content-Format is text, as in Leshan and Wakaama.
  const format = contentFormat ?? 0;
  if (!isSupported(state.lwm2m, format)) throw unsupportedFormat(`content format ${format} is not supported`);
  const versionOf = (objectId: number): string | undefined => state.objects.get(objectId)?.definition.version;
  return { contentFormat: format, payload, path, model: state.model, versionOf, now: state.now() };
}

/** Converts the error of a codec to a response code. */
export function refusing<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof Lwm2mError)) throw error;
    throw new Refusal(error.code === 'UNSUPPORTED_FORMAT' ? '4.15' : '4.00', error.message, { cause: error });
  }
}

function checkKnown(state: DeviceState, path: Path): void {
  if (definitionAt(state, path) === undefined) throw notFound(`resource ${path} does not exist`);
}

function checkWritable(state: DeviceState, path: Path): void {
  checkKnown(state, path);
  checkOperation(state, path, 'W');
}

function checkValue(state: DeviceState, reading: Reading): void {
  const { path } = reading;
  checkWritable(state, path);
  const definition = definitionAt(state, path);
  const isInstance = path.resourceInstanceId !== null;
  if (definition?.multiple !== isInstance)
    throw badRequest(
      `${path} is a ${isInstance ? 'single resource: it has no' : 'multiple resource: write to its'} resource instances`,
    );
  const number = numberOf(reading);
  const [, least, most] = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/.exec(definition.range) ?? [];
  if (number === undefined || least === undefined || most === undefined) return;
  if (number < Number(least) || number > Number(most))
    throw badRequest(`${number} is outside the range ${definition.range}`);
}

function drop(state: DeviceState, path: Path, readings: readonly Reading[]): void {
  const named = new Set(readings.map((reading) => reading.path.toString()));
  for (const placed of state.tree.values(path)) {
    const definition = definitionAt(state, placed.path);
    const single = placed.path.resourceInstanceId === null;
    const keeps = single && (definition?.mandatory ?? true);
    const writable = definition?.operations.includes('W') ?? false;
    if (writable && !keeps && !named.has(placed.path.toString())) state.tree.remove(placed.path);
  }
}

function valueOf(reading: Reading): TypedValue {
  const { path: _path, time: _time, guessed: _guessed, ...value } = reading;
  return value;
}
