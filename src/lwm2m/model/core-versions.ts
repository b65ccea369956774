import type { Lwm2mVersion } from '../registration/registration.ts';

/** The versions of the core objects in each LwM2M version; others are 1.0 (TS links of the OMA registry; Leshan). */
const CORE_VERSIONS: Readonly<Record<Lwm2mVersion, Readonly<Record<number, string>>>> = {
  '1.0': {},
  '1.1': { 0: '1.1', 1: '1.1', 3: '1.1', 4: '1.2' },
  '1.2': { 0: '1.2', 1: '1.2', 2: '1.1', 3: '1.2', 4: '1.3', 5: '1.1', 21: '1.1' },
};

/**
 * The version of an object that a device registered without `ver`: for a core object the version in the LwM2M version
 * of the device, for any other 1.0 (Core 1.2 §7.2.2).
 */
export function impliedObjectVersion(objectId: number, lwm2mVersion: Lwm2mVersion): string {
  return CORE_VERSIONS[lwm2mVersion][objectId] ?? '1.0';
}
