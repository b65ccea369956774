import type {
  BootstrapAdmission,
  BootstrapConfiguration,
  BootstrapHandlers,
  BootstrapRequest,
  ObjectModel,
} from '../../lwm2m/index.ts';
import { addressWithPort, networkOf, plainAddress } from '../../network/index.ts';
import type { Store } from '../../store/index.ts';
import { type TenantId, DEFAULT_TENANT } from '../access/index.ts';
import { FleetError, type Log } from '../common/index.ts';
import {
  type AutoProvisionLimits,
  type Device,
  endpointMismatch,
  endpointProblem,
  normalEndpoint,
  type Provisioning,
  deviceKey,
  parseDeviceKey,
} from '../devices/index.ts';
import type { BootstrapBeginning, BootstrapJournal } from './bootstrap-journal.ts';
import type { BootstrapLookUp } from './bootstrap-look-up.ts';
import type { BootstrapPlans } from './bootstrap-plans.ts';
import { configurationOf, wantsPsk } from './bootstrap-template.ts';
import type { Bootstrap, BootstrapPlan } from './bootstrap.ts';
import type { FactoryCredentials } from './factory-credentials.ts';
import type { FreshCredentials } from './fresh-credentials.ts';

/** The services and settings that the handlers use. */
export interface BootstrapHandlerParts {
  readonly store: Store;
  readonly provisioning: Provisioning;
  readonly lookUp: BootstrapLookUp;
  readonly journal: BootstrapJournal;
  readonly plans: BootstrapPlans;
  readonly freshCredentials: FreshCredentials;
  readonly factory: FactoryCredentials;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  /** Not null: a Bootstrap-Request of an unknown endpoint over NoSec creates a device of the default tenant. */
  readonly autoProvision: AutoProvisionLimits | null;
  /** False: every Bootstrap-Request over NoSec is refused. */
  readonly noSec: boolean;
  readonly log: Log;
}

/** The device that sent a Bootstrap-Request, or the reason to refuse it, with what is known of it. */
type Asker =
  | { readonly device: Device }
  | {
      readonly device: null;
      readonly tenantId: TenantId | null;
      /** The device of the credential, if it was refused. */
      readonly of: Device | null;
      readonly reason: string;
    };

/**
 * Returns the handlers that the bootstrap server calls: `admit` decides about a Bootstrap-Request, `stepped` and
 * `ended` record the progress and the end of a bootstrap.
 */
export function createBootstrapHandlers(parts: BootstrapHandlerParts): BootstrapHandlers {
  const { store, provisioning, lookUp, journal, plans, freshCredentials, factory, modelOf, log } = parts;

  /** Over NoSec, only the endpoint name identifies the device, so the request must come from a loopback address. */
  async function askerByName({ endpoint, peer }: BootstrapRequest): Promise<Asker> {
    if (!parts.noSec)
      return refusedAsker(DEFAULT_TENANT, 'bootstrap without security is off (TREELINE_NOSEC_BOOTSTRAP): use DTLS');
    if (!isLoopback(peer.address))
      return refusedAsker(DEFAULT_TENANT, 'a bootstrap without security is allowed from this machine only: use DTLS');
    const problem = endpointProblem(endpoint ?? '');
    if (endpoint === null || problem !== null)
      return refusedAsker(DEFAULT_TENANT, problem ?? 'the endpoint name must be given');
    const newcomer = { endpoint, network: networkOf(peer.address) };
    const [device] = parts.autoProvision
      ? await provisioning.add(DEFAULT_TENANT, [newcomer], parts.autoProvision)
      : await provisioning.ofEndpoints(DEFAULT_TENANT, [endpoint]);
    if (!device || typeof device === 'string') return refusedAsker(DEFAULT_TENANT, device ?? 'no such endpoint');
    const secured = await store.asTenant(DEFAULT_TENANT, (tx) => lookUp.secured(tx, [device.id]));
    return secured.has(device.id)
      ? refusedAsker(
          DEFAULT_TENANT,
          'this endpoint has or had credentials: it must use DTLS with a bootstrap credential',
        )
      : { device };
  }

  /** With security, the credential identifies the device; a factory credential claims the device. */
  async function askerByCredential({ endpoint }: BootstrapRequest, credential: string): Promise<Asker> {
    const holder = (await lookUp.holders([credential])).get(credential);
    if (holder) {
      const tenantId = holder.tenantId as TenantId; // the look-up read it from the device's row
      const [device] = await provisioning.ofEndpoints(tenantId, [holder.endpoint]);
      if (!device) return refusedAsker(tenantId, 'no such device');
      if (endpoint !== null && endpoint !== normalEndpoint(holder.endpoint)) {
        return refusedAsker(tenantId, endpointMismatch(endpoint, holder.endpoint), device);
      }
      return { device };
    }
    const claim = await lookUp.factory(credential);
    if (!claim) return refusedAsker(null, 'the credential was revoked or deleted, or has expired');
    const problem = endpointProblem(endpoint ?? '');
    const claimed = problem ?? (await factory.claim(claim, endpoint ?? ''));
    return typeof claimed === 'string' ? refusedAsker(claim.tenantId, claimed) : { device: claimed };
  }

  /** Creates the record, the new key and the configuration of a bootstrap in one transaction. */
  async function begin(
    request: BootstrapRequest,
    device: Device,
    plan: BootstrapPlan,
  ): Promise<{ bootstrap: Bootstrap; configuration: BootstrapConfiguration }> {
    const { tenantId, id, endpoint } = device;
    return store.asTenant(tenantId, async (tx) => {
      const beginning = { ...beginningOf(request), tenantId, deviceId: id, endpoint };
      const bootstrap = await journal.begin(tx, beginning);
      const psk = wantsPsk(plan) ? await freshCredentials.make(tx, device, bootstrap.id, plan.keyLength) : null;
      const source = { model: modelOf(tenantId), objects: [] };
      return { bootstrap, configuration: configurationOf(plan, endpoint, psk, source) };
    });
  }

  /** Logs and records the refusal, and returns it as the answer. */
  async function refuse(
    request: BootstrapRequest,
    { tenantId, device }: { readonly tenantId: TenantId | null; readonly device: Device | null },
    reason: string,
  ): Promise<BootstrapAdmission> {
    const beginning = beginningOf(request);
    log.info({ tenantId, endpoint: request.endpoint, address: beginning.address, reason }, 'a bootstrap was refused');
    if (tenantId !== null) await journal.refused({ ...beginning, tenantId, deviceId: device?.id ?? null }, reason);
    // Core 1.2 §6.1.7.1: the answer for an unknown or a refused endpoint is 4.00.
    return { admitted: false, code: '4.00', reason };
  }

  return {
    async admit(asked) {
      const { endpoint } = asked;
      const request = { ...asked, endpoint: endpoint === null ? null : normalEndpoint(endpoint) };
      const { security } = request.peer;
      const asker =
        security === null ? await askerByName(request) : await askerByCredential(request, security.credential);
      if (asker.device === null) return refuse(request, { tenantId: asker.tenantId, device: asker.of }, asker.reason);
      const { device } = asker;
      const plan = await plans.of(device);
      if (!plan)
        return refuse(
          request,
          { tenantId: device.tenantId, device },
          'neither the device nor its profile has a bootstrap plan: set one',
        );
      try {
        const { bootstrap, configuration } = await begin(request, device, plan);
        journal.publish(bootstrap);
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

function refusedAsker(tenantId: TenantId | null, reason: string, of: Device | null = null): Asker {
  return { device: null, tenantId, of, reason };
}

/** Splits a bootstrap id, which has the form of a device key: `acme/5f0c…`. */
function partsOf(bootstrapId: string): [tenantId: TenantId, id: string] {
  const { tenantId, deviceId } = parseDeviceKey(bootstrapId);
  return [tenantId, deviceId];
}

function isLoopback(address: string): boolean {
  return plainAddress(address).startsWith('127.') || address === '::1';
}

function beginningOf({ peer, pack, endpoint }: BootstrapRequest): Omit<BootstrapBeginning, 'tenantId' | 'deviceId'> {
  const { security } = peer;
  // The record holds valid endpoint names only.
  const named = endpoint !== null && endpointProblem(endpoint) === null ? endpoint : null;
  return {
    endpoint: named,
    pack,
    address: addressWithPort(peer),
    security,
  };
}
