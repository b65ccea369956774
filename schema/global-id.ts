import { FleetError } from '../src/fleet/index.ts';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const GLOBAL = /^([A-Za-z]{1,40}):(.{1,255})$/s;

/** The types that `node(id:)` fetches. */
const NODES = ['Device', 'DeviceProfile', 'Rpc'] as const;

/** The types that have global ids. */
export type IdentifiedType =
  | (typeof NODES)[number]
  | 'ApiKey'
  | 'DeviceCredential'
  | 'FactoryCredential'
  | 'TrustAnchor';

export function encodeGlobalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Throws FleetError VALIDATION for text that `encodeGlobalId` did not produce. */
export function decodeGlobalId(text: string): { typename: string; id: string } {
  const parts = GLOBAL.exec(Buffer.from(text, 'base64url').toString());
  const [, typename = '', id = ''] = parts ?? [];
  // Buffer.from accepts any text: the text is a global id only if encoding the result gives the same text.
  if (!parts || encodeGlobalId(typename, id) !== text.replace(/=+$/, '')) {
    throw new FleetError('VALIDATION', `${JSON.stringify(text.slice(0, 80))} is not a global id`, { field: ['id'] });
  }
  return { typename, id };
}

/** As `decodeGlobalId`, but throws for ids of types that `node(id:)` can't fetch. */
export function decodeNodeId(text: string): { typename: string; id: string } {
  const decoded = decodeGlobalId(text);
  if (NODES.some((type) => type === decoded.typename)) return decoded;
  throw new FleetError(
    'VALIDATION',
    `${JSON.stringify(text.slice(0, 80))} is not the id of a Device, DeviceProfile or Rpc`,
    { field: ['id'] },
  );
}

/**
 * The UUID that an id argument names. The argument may be a global id of this type or a plain UUID, because people copy
 * either of them. Throws FleetError VALIDATION with the field for any other text, also for an id of another type.
 */
export function idOf(type: IdentifiedType, text: string, ...field: readonly string[]): string {
  if (UUID.test(text)) return text.toLowerCase();
  const refuse = (why: string): FleetError =>
    new FleetError('VALIDATION', `${field.join('.')}: ${JSON.stringify(text.slice(0, 80))} is ${why}`, { field });
  let decoded: { typename: string; id: string };
  try {
    decoded = decodeGlobalId(text);
  } catch {
    throw refuse(`neither a global id of type ${type} nor a UUID`);
  }
  if (decoded.typename !== type) throw refuse(`the id of type ${decoded.typename}, not ${type}`);
  if (!UUID.test(decoded.id)) throw refuse(`not a valid global id of type ${type}`);
  return decoded.id;
}
