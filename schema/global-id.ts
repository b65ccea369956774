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

/** Throws FleetError VALIDATION for a text that is no global id of ours. */
export function decodeGlobalId(text: string): { typename: string; id: string } {
  const parts = GLOBAL.exec(Buffer.from(text, 'base64url').toString());
  const [, typename = '', id = ''] = parts ?? [];
  // Node decodes any text somehow: only what encodes to itself was encoded by us.
  if (!parts || encodeGlobalId(typename, id) !== text.replace(/=+$/, '')) {
    throw new FleetError('VALIDATION', `${JSON.stringify(text.slice(0, 80))} is no global id`, { field: ['id'] });
  }
  return { typename, id };
}

/** As `decodeGlobalId`, of what can be fetched by its id alone. */
export function decodeNodeId(text: string): { typename: string; id: string } {
  const decoded = decodeGlobalId(text);
  if (NODES.some((type) => type === decoded.typename)) return decoded;
  throw new FleetError('VALIDATION', `${JSON.stringify(text.slice(0, 80))} is the id of no Node`, { field: ['id'] });
}

/**
 * The id that an argument names: a global id of the type, or its plain UUID, for people copy either. Throws FleetError
 * VALIDATION naming the field for anything else, an id of another type included.
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
  if (!UUID.test(decoded.id)) throw refuse(`no global id of type ${type}`);
  return decoded.id;
}
