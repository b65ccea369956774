import type { Lwm2mVersion } from './registration.ts';

const VERSIONS: readonly Lwm2mVersion[] = ['1.0', '1.1', '1.2'];

export type Lwm2mVersionResult =
  | { readonly ok: true; readonly version: Lwm2mVersion }
  | { readonly ok: false; readonly code: '4.00' | '4.12'; readonly message: string };

/**
 * Reads the `lwm2m` parameter of a Register; without it the version is 1.0 (Core 1.2 §6.2.1). A version that the server
 * does not support is refused with 4.12, any other text with 4.00. `1` and `1.0.0`, which old devices send, are 1.0.
 * Never throws.
 */
export function parseLwm2mVersion(text = '1.0'): Lwm2mVersionResult {
  const plain = text === '1' || text === '1.0.0' ? '1.0' : text;
  const version = VERSIONS.find((known) => known === plain);
  if (version !== undefined) return { ok: true, version };
  const quoted = JSON.stringify(text.slice(0, 40));
  if (!/^\d+\.\d+$/.test(plain)) {
    return { ok: false, code: '4.00', message: `lwm2m=${quoted} is not a version such as 1.1` };
  }
  // Anjay tries an older version after 4.12 only.
  const message = `LwM2M ${quoted} is not supported; supported versions: ${VERSIONS.join(', ')}`;
  return { ok: false, code: '4.12', message };
}
