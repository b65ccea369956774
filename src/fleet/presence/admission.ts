import type { Admission, ObjectModel, RegisterRequest } from '../../lwm2m/index.ts';
import type { Store } from '../../store/index.ts';
import { type TenantId, DEFAULT_TENANT } from '../access/index.ts';
import { Batcher } from '../common/index.ts';
import type { CredentialHolder, CredentialGate } from '../credentials/index.ts';
import { type Device, endpointProblem, normalEndpoint, type Provisioning, deviceKey } from '../devices/index.ts';
import type { AwakeTimes } from './awake-times.ts';

/** The services and settings that admission uses. */
export interface AdmissionParts {
  readonly store: Store;
  readonly provisioning: Provisioning;
  readonly awakeTimes: AwakeTimes;
  readonly credentials: CredentialGate;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  /** True: a Register of an unknown endpoint over NoSec creates a device of the default tenant. */
  readonly autoProvision: boolean;
}

/** The lane of the credential batcher: a credential is looked up before its tenant is known. */
const ANY_TENANT = '';

/** A device of the default tenant; `secured`: it has or had credentials, so it must not register over NoSec. */
type Found = { readonly device: Device; readonly secured: boolean } | null;

/**
 * Credential checks for a Register: the returned function finds the device of a Register, or refuses the Register. With
 * security, the credential determines the device, and the endpoint name, if the device sends one, must be the name of
 * that device (Core 1.2 §6.2.1). Over NoSec, the endpoint name determines the device. It must be a device of the
 * default tenant that never had credentials, because anybody can send its name.
 */
export function createAdmission(parts: AdmissionParts): (request: RegisterRequest) => Promise<Admission> {
  const { store, provisioning, awakeTimes, credentials, modelOf, autoProvision } = parts;
  // After a power cut, many devices register at the same time: one query looks up many of them.
  const named = new Batcher<string, Found>({
    lane: () => DEFAULT_TENANT,
    key: (endpoint) => endpoint,
    async run(_, endpoints) {
      const found = await provisioning.ofEndpoints(DEFAULT_TENANT, endpoints, autoProvision);
      const ids = found.flatMap((device) => (device ? [device.id] : []));
      const secured = await store.asTenant(DEFAULT_TENANT, (tx) => credentials.secured(tx, ids));
      return found.map((device) => device && { device, secured: secured.has(device.id) });
    },
  });
  const holders = new Batcher<string, CredentialHolder | null>({
    lane: () => ANY_TENANT,
    async run(_, ids) {
      const found = await credentials.holders(ids);
      return ids.map((id) => found.get(id) ?? null);
    },
  });
  const held = new Batcher<CredentialHolder, Device | null>({
    lane: ({ tenantId }) => tenantId,
    key: ({ endpoint }) => endpoint,
    run: (tenantId, those) =>
      // A credential's tenant is the tenant of its device.
      provisioning.ofEndpoints(
        tenantId as TenantId,
        those.map(({ endpoint }) => endpoint),
        false,
      ),
  });

  async function admitted(device: Device): Promise<Admission> {
    const { tenantId, id, endpoint } = device;
    const awakeTime = await awakeTimes.of(device);
    return {
      admitted: true,
      deviceKey: deviceKey(tenantId, id),
      endpoint,
      model: modelOf(tenantId),
      ...(awakeTime === null ? {} : { awakeMs: awakeTime * 1000 }),
    };
  }

  return async function admit({ endpoint: given, peer }: RegisterRequest): Promise<Admission> {
    const endpoint = given === null ? null : normalEndpoint(given);
    if (peer.security !== null) {
      const holder = await holders.add(peer.security.credential);
      if (!holder) return refused('4.03', 'the credential was revoked or deleted, or has expired');
      if (endpoint !== null && endpoint !== normalEndpoint(holder.endpoint)) {
        return refused('4.00', 'the endpoint name does not match the device of the credential');
      }
      const device = await held.add(holder);
      return device ? admitted(device) : refused('4.03', 'no such device');
    }
    const problem = endpointProblem(endpoint ?? '');
    if (endpoint === null || problem !== null) return refused('4.00', problem ?? 'the endpoint name must be given');
    const found = await named.add(endpoint);
    if (!found) return refused('4.03', 'no such endpoint');
    if (found.secured) return refused('4.03', 'this endpoint has credentials: it must register over DTLS or TLS');
    return admitted(found.device);
  };
}

function refused(code: '4.00' | '4.03', reason: string): Admission {
  return { admitted: false, code, reason };
}
