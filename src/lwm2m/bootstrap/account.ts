import { Lwm2mError } from '../error.ts';
import { parseLinks, type Link } from '../link-format.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';

/** The Security instance to assume for the bootstrap account when Discover does not tell it. */
export const USUAL_ACCOUNTS: ReadonlySet<number> = new Set([0]);
/** Short server ids that no LwM2M server has (Core 1.2, Appendix E.1): some devices list the account with one of them. */
const ACCOUNT_IDS: readonly string[] = ['0', '65535'];

/** What the response to a Bootstrap-Discover tells. */
export interface Discovered {
  /** Null: the device did not tell a version that the server knows. */
  readonly lwm2mVersion: Lwm2mVersion | null;
  /** The ids of the Security instances that hold the bootstrap account. A write must not replace them. */
  readonly accounts: ReadonlySet<number>;
}

/**
 * Finds the bootstrap account in the links of a Discover: the Security instances without a short server id (Core 1.2
 * §6.1.7.3). Without such an instance, or with invalid links, assumes instance 0.
 */
export function readDiscovered(payload: Uint8Array): Discovered {
  const links = readLinks(payload);
  const version = links.find(({ uri }) => uri === '/')?.attributes['lwm2m'];
  const accounts = links.flatMap(({ uri, attributes }) => {
    const instance = /^\/0\/(\d{1,5})$/.exec(uri)?.[1];
    const { ssid } = attributes;
    const isAccount = !('ssid' in attributes) || (typeof ssid === 'string' && ACCOUNT_IDS.includes(ssid));
    return instance === undefined || !isAccount ? [] : [Number(instance)];
  });
  return {
    lwm2mVersion: version === '1.0' || version === '1.1' || version === '1.2' ? version : null,
    accounts: accounts.length === 0 ? USUAL_ACCOUNTS : new Set(accounts),
  };
}

/** Reads the links of a Discover; none when they are invalid. A 1.0 device writes `lwm2m=1.0,` before the links. */
function readLinks(payload: Uint8Array): readonly Link[] {
  const text = Buffer.from(payload)
    .toString('utf8')
    .replace(/^lwm2m="?(\d\.\d)"?/, '</>;lwm2m=$1');
  try {
    return parseLinks(text);
  } catch (error) {
    if (error instanceof Lwm2mError) return [];
    throw error;
  }
}
