import type { Admission, ObjectModel, RegisterRequest } from '../../lwm2m/index.ts';
import type { Store } from '../../store/index.ts';
import { type TenantId, DEFAULT_TENANT } from '../access/index.ts';
import { Batcher } from '../common/index.ts';
import type { CredentialHolder, CredentialGate } from '../credentials/index.ts';
import { type Device, endpointProblem, type Provisioning, deviceKey } from '../devices/index.ts';
import type { AwakeTimes } from './awake-times.ts';

export interface AdmissionParts {
  readonly store: Store;
  readonly provisioning: Provisioning;
  readonly awakeTimes: AwakeTimes;
  readonly credentials: CredentialGate;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  /** Unknown endpoints over NoSec become devices of the default tenant. */
  readonly autoProvision: boolean;
}

/** A credential is looked up before its tenant is known. */
const ANY_TENANT = '';

type Found = { readonly device: Device; readonly secured: boolean } | null;

/**
 * Which device a Register is of. A secured one is whose its credential is, and its endpoint name must agree
 * (Core 1.2 §6.2.1). Over NoSec there is nothing but the name: it is one of the default tenant, and never that of a
 * device with credentials, whose name anybody could say.
 */
export function createAdmission(parts: AdmissionParts): (request: RegisterRequest) => Promise<Admission> {
  const { store, provisioning, awakeTimes, credentials, modelOf, autoProvision } = parts;
  // Many devices may come at once, after a power cut: they are looked up together.
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

  return async function admit({ endpoint, peer }: RegisterRequest): Promise<Admission> {
    if (peer.security !== null) {
      const holder = await holders.add(peer.security.credential);
      if (!holder) return refused('4.03', 'the credential no longer counts');
      if (endpoint !== null && endpoint !== holder.endpoint) {
        return refused('4.00', 'the endpoint name is not that of the credential');
      }
      const device = await held.add(holder);
      return device ? admitted(device) : refused('4.03', 'no such device');
    }
    const problem = endpointProblem(endpoint ?? '');
    if (endpoint === null || problem !== null) return refused('4.00', problem ?? 'an endpoint name is wanted');
    const found = await named.add(endpoint);
    if (!found) return refused('4.03', 'no such endpoint');
    if (found.secured) return refused('4.03', 'this endpoint has credentials: it may not come without security');
    return admitted(found.device);
  };
}

function refused(code: '4.00' | '4.03', reason: string): Admission {
  return { admitted: false, code, reason };
}
