import type {
  BootstrapAdmission,
  BootstrapConfiguration,
  BootstrapHandlers,
  BootstrapRequest,
  ObjectModel,
} from '../../lwm2m/index.ts';
import type { Store } from '../../store/index.ts';
import { type TenantId, DEFAULT_TENANT } from '../access/index.ts';
import { FleetError, type Log } from '../common/index.ts';
import { type Device, endpointProblem, type Provisioning, deviceKey, parseDeviceKey } from '../devices/index.ts';
import type { BootstrapBeginning, BootstrapJournal } from './bootstrap-journal.ts';
import type { BootstrapLookUp } from './bootstrap-look-up.ts';
import type { BootstrapPlans } from './bootstrap-plans.ts';
import { configurationOf, wantsPsk } from './bootstrap-template.ts';
import type { Bootstrap, BootstrapPlan } from './bootstrap.ts';
import type { FactoryCredentials } from './factory-credentials.ts';
import type { FreshCredentials } from './fresh-credentials.ts';

export interface BootstrapHandlerParts {
  readonly store: Store;
  readonly provisioning: Provisioning;
  readonly lookUp: BootstrapLookUp;
  readonly journal: BootstrapJournal;
  readonly plans: BootstrapPlans;
  readonly freshCredentials: FreshCredentials;
  readonly factory: FactoryCredentials;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  /** Unknown endpoints over NoSec become devices of the default tenant. */
  readonly autoProvision: boolean;
  readonly log: Log;
}

/** Who asks, or why it may not: of which tenant is known or not. */
type Asker =
  | { readonly device: Device }
  | { readonly device: null; readonly tenantId: TenantId | null; readonly reason: string };

/** What the bootstrap server asks and tells, taken to where it belongs. */
export function createBootstrapHandlers(parts: BootstrapHandlerParts): BootstrapHandlers {
  const { store, provisioning, lookUp, journal, plans, freshCredentials, factory, modelOf, autoProvision, log } = parts;

  /** Over NoSec there is nothing but the name, so it counts on this machine only. */
  async function nameless({ endpoint, peer }: BootstrapRequest): Promise<Asker> {
    if (!isLoopback(peer.address))
      return nobody(DEFAULT_TENANT, 'without security a bootstrap is for this machine only');
    const problem = endpointProblem(endpoint ?? '');
    if (endpoint === null || problem !== null) return nobody(DEFAULT_TENANT, problem ?? 'an endpoint name is wanted');
    const [device] = await provisioning.ofEndpoints(DEFAULT_TENANT, [endpoint], autoProvision);
    if (!device) return nobody(DEFAULT_TENANT, 'no such endpoint');
    const secured = await store.asTenant(DEFAULT_TENANT, (tx) => lookUp.secured(tx, [device.id]));
    return secured.has(device.id)
      ? nobody(DEFAULT_TENANT, 'this endpoint has bootstrap credentials: it may not come without security')
      : { device };
  }

  async function proved({ endpoint }: BootstrapRequest, credential: string): Promise<Asker> {
    const holder = (await lookUp.holders([credential])).get(credential);
    if (holder) {
      const tenantId = holder.tenantId as TenantId; // what the look-up read from the device
      if (endpoint !== null && endpoint !== holder.endpoint) {
        return nobody(tenantId, 'the endpoint name is not that of the credential');
      }
      const [device] = await provisioning.ofEndpoints(tenantId, [holder.endpoint], false);
      return device ? { device } : nobody(tenantId, 'no such device');
    }
    const claim = await lookUp.factory(credential);
    if (!claim) return nobody(null, 'the credential no longer counts');
    const problem = endpointProblem(endpoint ?? '');
    const claimed = problem ?? (await factory.claim(claim, endpoint ?? ''));
    return typeof claimed === 'string' ? nobody(claim.tenantId, claimed) : { device: claimed };
  }

  /** The key, the record and what is written come to be together, or not at all. */
  async function begin(
    request: BootstrapRequest,
    device: Device,
    plan: BootstrapPlan,
  ): Promise<{ bootstrap: Bootstrap; configuration: BootstrapConfiguration }> {
    const { tenantId, id, endpoint } = device;
    return store.asTenant(tenantId, async (tx) => {
      const beginning = { ...beginningOf(request), tenantId, deviceId: id, endpoint };
      const bootstrap = await journal.begin(tx, beginning);
      const psk = wantsPsk(plan) ? await freshCredentials.make(tx, device, bootstrap.id) : null;
      const source = { model: modelOf(tenantId), objects: [] };
      return { bootstrap, configuration: configurationOf(plan, endpoint, psk, source) };
    });
  }

  async function refuse(
    request: BootstrapRequest,
    { tenantId, device }: { readonly tenantId: TenantId | null; readonly device: Device | null },
    reason: string,
  ): Promise<BootstrapAdmission> {
    const beginning = beginningOf(request);
    log.info({ tenantId, endpoint: request.endpoint, address: beginning.address, reason }, 'a bootstrap was refused');
    if (tenantId !== null) await journal.refused({ ...beginning, tenantId, deviceId: device?.id ?? null }, reason);
    // Core 1.2 §6.1.7.1: an unknown endpoint, and one that may not, is answered 4.00.
    return { admitted: false, code: '4.00', reason };
  }

  return {
    async admit(request) {
      const { security } = request.peer;
      const asker = security === null ? await nameless(request) : await proved(request, security.credential);
      if (asker.device === null) return refuse(request, asker, asker.reason);
      const { device } = asker;
      const plan = await plans.of(device);
      if (!plan) return refuse(request, { tenantId: device.tenantId, device }, 'there is no configuration for it');
      try {
        const { bootstrap, configuration } = await begin(request, device, plan);
        journal.tell(bootstrap);
        const key = deviceKey(device.tenantId, device.id);
        return { admitted: true, bootstrapId: `${device.tenantId}/${bootstrap.id}`, deviceKey: key, configuration };
      } catch (error) {
        if (!(error instanceof FleetError)) throw error;
        return refuse(request, { tenantId: device.tenantId, device }, error.message);
      }
    },

    stepped: (bootstrapId, step) => journal.stepped(...partsOf(bootstrapId), step),
    ended: (bootstrapId, outcome) => journal.ended(...partsOf(bootstrapId), outcome),
  };
}

function nobody(tenantId: TenantId | null, reason: string): Asker {
  return { device: null, tenantId, reason };
}

/** A bootstrap is named as a device is: `acme/5f0c…`. */
function partsOf(bootstrapId: string): [tenantId: TenantId, id: string] {
  const { tenantId, deviceId } = parseDeviceKey(bootstrapId);
  return [tenantId, deviceId];
}

function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\./.test(address) || address === '::1';
}

function beginningOf({ peer, pack, endpoint }: BootstrapRequest): Omit<BootstrapBeginning, 'tenantId' | 'deviceId'> {
  const { address, port, security } = peer;
  // What is no name can't be kept as one.
  const named = endpoint !== null && endpointProblem(endpoint) === null ? endpoint : null;
  return {
    endpoint: named,
    pack,
    address: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    security,
  };
}
