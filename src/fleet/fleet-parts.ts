import type { ObjectModel } from '../lwm2m/index.ts';
import type { TenantId } from './access/index.ts';
import {
  BootstrapJournal,
  BootstrapPlans,
  createBootstrapHandlers,
  createBootstrapLookUp,
  FactoryCredentials,
  FreshCredentials,
} from './bootstrap/index.ts';
import { Turns } from './common/index.ts';
import { createProvisioning, type Device, deviceKey, parseDeviceKey } from './devices/index.ts';
import { createDevices } from './inventory/index.ts';
import { ObjectModels } from './objects/index.ts';
import { ObservationRecords, ObservationRequests, Observing, WrittenAttributes } from './observing/index.ts';
import {
  AwakeTimes,
  createAdmission,
  Displacements,
  Presence,
  ProblemLog,
  Registrations,
  Roster,
} from './presence/index.ts';
import { createProfiles, RegistrationProfiles } from './profiles/index.ts';
import { ReadingLimit, Readings } from './readings/index.ts';
import { createExecution, RpcDispatcher, RpcJournal } from './rpcs/index.ts';
import type { FleetOptions } from './running-fleet.ts';

export type FleetParts = ReturnType<typeof createParts>;

/** Creates the objects of the fleet's modules, lowest layer first. They start to work when `startFleet` runs. */
export function createParts(options: FleetOptions) {
  const { store, bus, lwm2m, registry, telemetry, clock, log } = options;
  const models = new ObjectModels({ store, registry, clock, log });
  const modelOf = (tenantId: TenantId): ObjectModel => models.of(tenantId);
  const turns = new Turns();
  const profiles = createProfiles(store, clock, modelOf);
  const registrationProfiles = new RegistrationProfiles(store, clock);
  const provisioning = createProvisioning(store, profiles, bus, clock);
  const readings = new Readings({ store, sink: telemetry, bus, log });
  const readingLimit = new ReadingLimit({ ...options.settings.readings, clock, log });
  const roster = new Roster();
  const registrations = new Registrations(store, telemetry);
  const problems = new ProblemLog({ store, clock, log });
  const displacements = new Displacements();
  const presence = new Presence({ roster, registrations, profiles, bus, clock, log });
  const awakeTimes = new AwakeTimes({ store, lwm2m, roster, profiles, clock, log });
  const admit = createAdmission({
    store,
    provisioning,
    awakeTimes,
    credentials: options.gate,
    modelOf,
    autoProvision: options.settings.autoProvision,
  });
  const requests = new ObservationRequests(store, clock);
  const observations = new ObservationRecords(store);
  const written = new WrittenAttributes(store, log);
  const observing = new Observing({
    lwm2m,
    roster,
    profiles,
    requests,
    written,
    turns,
    clock,
    log,
    settings: options.settings.watching,
    onWatchChange: (key) => bus.publish('resourceChanged', key, { ...parseDeviceKey(key), resources: [] }),
  });
  const journal = new RpcJournal(store, bus);
  const dispatcher = new RpcDispatcher({
    journal,
    roster,
    lwm2m,
    turns,
    clock,
    log,
    smsTrigger: options.smsTrigger ?? null,
    execute: createExecution({ lwm2m, observing, modelOf, clock }),
  });

  /** Ends the registration, RPCs and observations of a device before it is deleted. */
  async function retire({ tenantId, id }: Device): Promise<void> {
    const key = deviceKey(tenantId, id);
    for (const rpc of await journal.active(tenantId, id)) await dispatcher.cancel(rpc, 'DELETED');
    await lwm2m().remove(key);
    dispatcher.forget(key);
    requests.forget(key);
    observing.ended(key);
  }
  const { credentials } = options;
  const devices = createDevices({
    store,
    roster,
    observing,
    awakeTimes,
    provisioning,
    profiles,
    credentials,
    bus,
    clock,
    retire,
  });

  return {
    models,
    modelOf,
    profiles,
    registrationProfiles,
    provisioning,
    readings,
    readingLimit,
    roster,
    registrations,
    presence,
    awakeTimes,
    problems,
    displacements,
    admit,
    requests,
    observations,
    written,
    observing,
    journal,
    dispatcher,
    devices,
    ...createBootstrapParts(options, { profiles, provisioning, modelOf }),
  };
}

type BootstrapNeeds = {
  readonly profiles: ReturnType<typeof createProfiles>;
  readonly provisioning: ReturnType<typeof createProvisioning>;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
};

function createBootstrapParts(options: FleetOptions, { profiles, provisioning, modelOf }: BootstrapNeeds) {
  const { store, bus, clock, seal, log } = options;
  const bootstraps = new BootstrapJournal(store, bus, clock);
  const plans = new BootstrapPlans(store, seal, clock, modelOf);
  const freshCredentials = new FreshCredentials(store, bus, clock, options.credentials);
  const factory = new FactoryCredentials({
    store,
    bus,
    clock,
    seal,
    provisioning,
    defaultProfile: (tenantId) => store.asTenant(tenantId, (tx) => profiles.ensureDefault(tx, tenantId)),
  });
  const bootstrapHandlers = createBootstrapHandlers({
    store,
    provisioning,
    lookUp: createBootstrapLookUp({ store, clock, seal }),
    journal: bootstraps,
    plans,
    freshCredentials,
    factory,
    modelOf,
    autoProvision: options.settings.autoProvision,
    noSec: options.settings.noSecBootstrap,
    log,
  });
  return { bootstraps, plans, freshCredentials, factory, bootstrapHandlers };
}
