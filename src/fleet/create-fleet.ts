import type { Clock } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import type { BootstrapHandlers, Lwm2mHandlers, Lwm2mServer, ObjectModel } from '../lwm2m/index.ts';
import type { Store } from '../store/index.ts';
import { type TenantId, type Access, DEFAULT_TENANT } from './access/index.ts';
import {
  createBootstrapLookUp,
  createBootstrapHandlers,
  BootstrapJournal,
  BootstrapPlans,
  FactoryCredentials,
  FreshCredentials,
} from './bootstrap/index.ts';
import { type Log, Turns } from './common/index.ts';
import type { CredentialGate, CredentialBook, Handshakes, Seal } from './credentials/index.ts';
import { createProvisioning, deviceKey } from './devices/index.ts';
import type { FleetEvents } from './events.ts';
import type { Fleet } from './fleet.ts';
import { createDevices, createWatching } from './inventory/index.ts';
import { createLwm2mHandlers } from './lwm2m-handlers.ts';
import { createDefinitions, ObjectModels, OwnDefinitions } from './objects/index.ts';
import { ObservationRecords, ObservationRequests, Observing } from './observing/index.ts';
import {
  AwakeTimes,
  createAdmission,
  Presence,
  endUnprovenRegistrations,
  Registrations,
  Roster,
} from './presence/index.ts';
import { createProfiles, RegistrationProfiles } from './profiles/index.ts';
import { Readings, type TelemetrySink } from './readings/index.ts';
import { RpcDispatcher, execute, RpcJournal, createRpcs, type SmsTrigger } from './rpcs/index.ts';

export interface FleetOptions {
  readonly store: Store;
  readonly bus: EventBus<FleetEvents>;
  /** Asked only after `start`: the server is made with the fleet's handlers. */
  readonly lwm2m: () => Lwm2mServer;
  /** The OMA registry. */
  readonly registry: ObjectModel;
  readonly telemetry: TelemetrySink;
  readonly access: Access;
  readonly gate: CredentialGate;
  readonly credentials: CredentialBook;
  readonly handshakes: Handshakes;
  /** Of what bootstraps give. */
  readonly seal: Seal;
  readonly clock: Clock;
  readonly settings: { readonly autoProvision: boolean };
  readonly log: Log;
  /** Absent: sleeping devices wake by themselves only. */
  readonly smsTrigger?: SmsTrigger;
}

/** How much the fleet holds and how much waits: for the metrics page. */
export interface FleetSnapshot {
  readonly registered: number;
  readonly readings: { readonly waiting: number; readonly running: number };
  readonly registrations: { readonly waiting: number; readonly running: number };
  readonly rpcs: { readonly queues: number; readonly running: number; readonly waiters: number };
  readonly observing: { readonly watched: number; readonly devices: number };
}

export interface RunningFleet {
  readonly fleet: Fleet;
  /** For the LwM2M server. */
  readonly handlers: Lwm2mHandlers;
  /** For the bootstrap server. */
  readonly bootstrapHandlers: BootstrapHandlers;
  /**
   * Takes up what an earlier run left and starts the LwM2M server with it. Call once, after the default tenant is there
   * and the server is made, before its endpoints hear datagrams.
   */
  start(): Promise<void>;
  /** Stops timers and stores what is still to be stored. Call after the LwM2M server has stopped. */
  stop(): Promise<void>;
  snapshot(): FleetSnapshot;
}

/** Puts the fleet together over a store, a bus, an LwM2M server and a telemetry sink. */
export function createFleet(options: FleetOptions): RunningFleet {
  const { store, bus, lwm2m, registry, telemetry, access, seal, clock, log } = options;
  const models = new ObjectModels({ store, registry, clock, log });
  const modelOf = (tenantId: TenantId): ObjectModel => models.of(tenantId);
  const roster = new Roster();
  const turns = new Turns();
  const profiles = createProfiles(store, clock);
  const registrationProfiles = new RegistrationProfiles(store, clock);
  const requests = new ObservationRequests(store, clock);
  const registrations = new Registrations(store, telemetry);
  const observations = new ObservationRecords(store);
  const readings = new Readings(store, telemetry, bus);
  const presence = new Presence({ roster, registrations, profiles, bus, clock, log });
  const observing = new Observing({ lwm2m, roster, profiles, requests, turns, clock, log });
  const provisioning = createProvisioning(store, profiles, bus, clock);
  const awakeTimes = new AwakeTimes({ store, lwm2m, roster, profiles, log });
  const journal = new RpcJournal(store, bus);
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
  const dispatcher = new RpcDispatcher({
    journal,
    roster,
    lwm2m,
    turns,
    clock,
    log,
    smsTrigger: options.smsTrigger ?? null,
    execute: (device, operation, performing) => {
      const { objects, lwm2mVersion } = device.registration;
      const source = { model: modelOf(device.tenantId), objects, lwm2mVersion };
      return execute(device, operation, source, lwm2m(), observing, performing);
    },
  });
  const admit = createAdmission({
    store,
    provisioning,
    awakeTimes,
    credentials: options.gate,
    modelOf,
    autoProvision: options.settings.autoProvision,
  });

  const devices = createDevices({
    store,
    roster,
    observing,
    awakeTimes,
    provisioning,
    credentials: options.credentials,
    async retire({ tenantId, id }) {
      const key = deviceKey(tenantId, id);
      for (const rpc of await journal.active(tenantId, id)) await dispatcher.cancel(rpc, 'DELETED');
      await lwm2m().remove(key);
      dispatcher.forget(key);
      requests.forget(key);
      observing.ended(key);
    },
  });

  return {
    fleet: {
      access,
      devices,
      profiles,
      definitions: createDefinitions(models, new OwnDefinitions(store, models, clock)),
      registrationProfiles,
      rpcs: createRpcs({ store, journal, dispatcher, profiles, roster, modelOf, clock }),
      watching: createWatching(devices, observing),
      credentials: options.credentials,
      handshakes: options.handshakes,
      bootstraps: {
        page: (actor, request, filter) => bootstraps.page(actor, request, filter),
        plan: (actor, owner) => plans.shown(actor, owner),
        setPlan: (actor, owner, plan) => plans.set(actor, owner, plan),
        factoryCredentials: (actor) => factory.list(actor),
        createFactoryCredential: (actor, input) => factory.create(actor, input),
        revokeFactoryCredential: (actor, id) => factory.revoke(actor, id),
      },
    },
    bootstrapHandlers: createBootstrapHandlers({
      store,
      provisioning,
      lookUp: createBootstrapLookUp({ store, clock, seal }),
      journal: bootstraps,
      plans,
      freshCredentials,
      factory,
      modelOf,
      autoProvision: options.settings.autoProvision,
      log,
    }),
    handlers: createLwm2mHandlers({
      roster,
      admit,
      presence,
      profiles,
      registrationProfiles,
      readings,
      observations,
      observing,
      dispatcher,
      freshCredentials,
      modelOf,
      now: () => clock.now(),
    }),

    async start() {
      await store.asTenant(DEFAULT_TENANT, (tx) => profiles.ensureDefault(tx, DEFAULT_TENANT));
      await models.start();
      const restored = await registrations.restore(modelOf, (error) =>
        log.error({ err: error }, 'a stored registration or observation can’t be read: it is left out'),
      );
      for (const device of restored.devices) roster.set(device);
      await requests.load();
      await options.credentials.resume();
      await bootstraps.interrupted();
      await dispatcher.start();
      const server = lwm2m();
      await server.start(restored.state);
      for (const { key, registration } of roster.values()) {
        if (registration.queueMode) presence.sleeping(key, server.isAsleep(key));
      }
      presence.start();
      endUnprovenRegistrations({ bus, lwm2m, log });
    },

    async stop() {
      dispatcher.stop();
      observing.stop();
      await presence.stop();
      await models.stop();
      await Promise.all([registrations, observations, readings, journal].map((stored) => stored.idle()));
    },

    snapshot: () => ({
      registered: roster.size,
      readings: readings.snapshot(),
      registrations: registrations.snapshot(),
      rpcs: dispatcher.size,
      observing: observing.size,
    }),
  };
}
