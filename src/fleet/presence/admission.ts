import type { Admission, ObjectModel, RefusalCause, RegisterRequest } from '../../lwm2m/index.ts';
import { networkOf } from '../../network/index.ts';
import type { Store } from '../../store/index.ts';
import { type TenantId, DEFAULT_TENANT } from '../access/index.ts';
import { Batcher } from '../common/index.ts';
import type { CredentialHolder, CredentialGate } from '../credentials/index.ts';
import {
  type AutoProvisionLimits,
  type Device,
  deviceKey,
  endpointMismatch,
  endpointProblem,
  type Newcomer,
  normalEndpoint,
  type Provisioning,
} from '../devices/index.ts';
import type { AwakeTimes } from './awake-times.ts';

/** The services and settings that admission uses. */
export interface AdmissionParts {
  readonly store: Store;
  readonly provisioning: Provisioning;
  readonly awakeTimes: AwakeTimes;
  readonly credentials: CredentialGate;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  /** Not null: a Register of an unknown endpoint over NoSec creates a device of the default tenant, within the limits. */
  readonly autoProvision: AutoProvisionLimits | null;
}

/** The lane of the credential batcher: a credential is looked up before its tenant is known. */
const ANY_TENANT = '';

/** A device of the default tenant; `secured`: it has or had credentials, so it must not register over NoSec. */
type Found = { readonly device: Device; readonly secured: boolean } | { readonly refused: string } | null;

/**
 * Credential checks for a Register: the returned function finds the device of a Register, or refuses the Register. With
 * security, the credential determines the device, and the endpoint name, if the device sends one, must be the name of
 * that device (Core 1.2 §6.2.1). Over NoSec, the endpoint name determines the device. It must be a device of the
 * default tenant that never had credentials, because anybody can send its name.
 */
export function createAdmission(parts: AdmissionParts): (request: RegisterRequest) => Promise<Admission> {
  const { store, provisioning, awakeTimes, credentials, modelOf, autoProvision } = parts;
  // After a power cut, many devices register at the same time: one query looks up many of them.
  const named = new Batcher<Newcomer, Found>({
    lane: () => DEFAULT_TENANT,
    key: ({ endpoint }) => endpoint,
    async run(_, newcomers) {
      const found = autoProvision
        ? await provisioning.add(DEFAULT_TENANT, newcomers, autoProvision)
        : await provisioning.ofEndpoints(
            DEFAULT_TENANT,
            newcomers.map(({ endpoint }) => endpoint),
          );
      const ids = found.flatMap((device) => (device && typeof device !== 'string' ? [device.id] : []));
      const secured = await store.asTenant(DEFAULT_TENANT, (tx) => credentials.secured(tx, ids));
      return found.map((device) => {
        if (typeof device === 'string') return { refused: device };
        return device && { device, secured: secured.has(device.id) };
      });
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
      if (!holder) return refused('4.03', 'the credential was revoked or deleted, or has expired', 'CREDENTIAL_ENDED');
      if (endpoint !== null && endpoint !== normalEndpoint(holder.endpoint)) {
        return refused('4.00', endpointMismatch(endpoint, holder.endpoint), 'ENDPOINT_MISMATCH');
      }
      const device = await held.add(holder);
      return device ? admitted(device) : refused('4.03', 'no such device', 'CREDENTIAL_ENDED');
    }
    const problem = endpointProblem(endpoint ?? '');
    if (endpoint === null || problem !== null)
      return refused('4.00', problem ?? 'the endpoint name must be given', 'MALFORMED');
    const found = await named.add({ endpoint, network: networkOf(peer.address) });
    if (!found) return refused('4.03', 'no such endpoint', 'UNKNOWN_ENDPOINT');
    if ('refused' in found) return refused('4.03', found.refused, 'LIMIT');
    if (found.secured)
      return refused('4.03', 'this endpoint has credentials: it must register over DTLS or TLS', 'SECURITY_REQUIRED');
    return admitted(found.device);
  };
}

function refused(code: '4.00' | '4.03', reason: string, cause: RefusalCause): Admission {
  return { admitted: false, code, reason, cause };
}
