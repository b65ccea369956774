import type { Clock } from '../../clock.ts';
import type { IncomingRequest, Peer } from '../../coap/index.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Lwm2mHandlers, RefusalCause } from '../handlers.ts';
import type { Link } from '../link-format.ts';
import type { Observations } from '../observation.ts';
import type { QueueMode } from '../queue-mode.ts';
import type { RegisterParameters } from './register-query.ts';
import { parseUpdateQuery } from './register-query.ts';
import { isStream, RegisteredDevice, type Lwm2mEndpoint } from '../registered-device.ts';
import { readObjectList, readUpdatedList, registrationOf, updatedRegistration } from './record.ts';
import type { Registration, RegistrationEnd } from './registration.ts';
import type { Registry } from '../registry.ts';
import type { SerialTasks } from '../serial-tasks.ts';

export interface RegistrationLifecycleOptions {
  readonly clock: Clock;
  /** Cryptographically random bytes: over NoSec only the location authorises an Update. */
  readonly random: (size: number) => Uint8Array;
  readonly handlers: Lwm2mHandlers;
  readonly registry: Registry;
  readonly observations: Observations;
  readonly queue: QueueMode;
  readonly tasks: SerialTasks;
  /** The maximum of registered devices; above it the server answers a Register with 5.03. */
  readonly most: number;
}

/** The outcome of a request: the registered device, or an error response. */
export type Outcome = { readonly ok: true; readonly device: RegisteredDevice } | Refused;

export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly cause: RefusalCause;
}

/** Makes an id of 16 characters, a length that every client must support (Core 1.2 §6.2.1). */
const ID_BYTES = 12;

/**
 * Creates, updates and ends registrations (Core 1.2 §6.2). Changes of one device run one after the other. A change
 * takes effect after a handler has stored it.
 */
export class RegistrationLifecycle {
  readonly #options: RegistrationLifecycleOptions;

  constructor(options: RegistrationLifecycleOptions) {
    this.#options = options;
  }

  /** A Register replaces the registration of the device and ends its observations. Rejects when a handler rejects. */
  async register(parameters: RegisterParameters, request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<Outcome> {
    const { tasks } = this.#options;
    const { peer } = request;
    if (parameters.endpoint === null && peer.security === null) return refused('4.00', 'the parameter ep is missing');
    // Of two Registers of one device the later must win, even when the admission of the first takes longer.
    return tasks.run(`endpoint ${parameters.endpoint ?? peer.key}`, () =>
      this.#register(parameters, request, reachedBy),
    );
  }

  async #register(
    parameters: RegisterParameters,
    request: IncomingRequest,
    reachedBy: Lwm2mEndpoint,
  ): Promise<Outcome> {
    const { handlers, registry, tasks, most, clock } = this.#options;
    const { peer, payload } = request;
    const { lwm2mVersion, profileIds } = parameters;
    const admission = await handlers.admit({ endpoint: parameters.endpoint, lwm2mVersion, peer });
    if (!admission.admitted) return refused(admission.code, admission.reason, admission.cause);
    const { deviceKey, endpoint, model, awakeMs } = admission;
    const links = await this.#profileLinks(profileIds, deviceKey);
    if (links === null)
      return refused('4.09', 'a Profile ID is unknown; register with the complete list of objects', 'UNSUPPORTED');
    const read = readObjectList(payload, lwm2mVersion, links);
    if (!read.ok) return refused('4.00', read.message);
    return tasks.run(deviceKey, async () => {
      const previous = registry.withKey(deviceKey);
      if (!previous && registry.size >= most)
        return refused('5.03', 'the maximum of registered devices is reached', 'LIMIT');
      const id = Buffer.from(this.#options.random(ID_BYTES)).toString('base64url');
      const origin = { peer, transport: reachedBy.transport, at: clock.now() };
      const registration = registrationOf({ id, deviceKey, endpoint }, parameters, read.list, origin);
      await handlers.registered(registration, previous?.registration ?? null);
      const device = new RegisteredDevice({ registration, model, awakeMs, reachedBy, answered: false });
      registry.add(device);
      if (previous) await this.#drop(previous);
      return { ok: true, device };
    });
  }

  /** The endpoint name of the registration at this location; null if there is none. */
  endpointAt(id: string): string | null {
    return this.#options.registry.withId(id)?.registration.endpoint ?? null;
  }

  /** Rejects when a handler rejects. */
  async update(id: string, request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<Outcome> {
    return this.#inTurn(id, request.peer, async (device) => {
      const { handlers, clock } = this.#options;
      const { peer, payload, query } = request;
      const before = device.registration;
      const parsed = parseUpdateQuery(query, before.lwm2mVersion);
      if (!parsed.ok) return refused(parsed.code, parsed.message);
      const links = await this.#profileLinks(parsed.parameters.profileIds ?? [], before.deviceKey);
      if (links === null) return refused('4.09', 'a Profile ID is unknown', 'UNSUPPORTED');
      const listed = payload.length > 0 || links.length > 0;
      const read = listed ? readUpdatedList(payload, before, links) : null;
      if (read?.ok === false) return refused('4.00', read.message);
      const origin = { peer, transport: reachedBy.transport, at: clock.now() };
      const registration = updatedRegistration(before, parsed.parameters, read?.list ?? null, origin);
      const moved = hasMoved(before, device.reachedBy, peer, reachedBy);
      await handlers.updated(registration, before, moved);
      if (device.registration === before) await this.#take(device, registration, reachedBy);
      // A new session took the registration over while the handler ran: the device stays there.
      else await this.#take(device, { ...registration, peer: device.registration.peer }, device.reachedBy);
      return { ok: true, device };
    });
  }

  /**
   * Changes the object list after an operation that changed the instances of the device: its own Update may come much
   * later. `change` returns the same list if nothing changes. Rejects when a handler rejects.
   */
  async changeInstances(
    device: RegisteredDevice,
    change: (registration: Registration) => Registration['objects'],
  ): Promise<void> {
    const { handlers, registry, tasks } = this.#options;
    await tasks.run(device.registration.deviceKey, async () => {
      if (registry.withId(device.registration.id) !== device) return;
      const objects = change(device.registration);
      if (objects === device.registration.objects) return;
      registry.update(device, { ...device.registration, objects }, device.reachedBy);
      await handlers.instancesChanged(device.registration);
    });
  }

  /** Rejects when a handler rejects; the registration then stays. */
  async deregister(id: string, peer: Peer): Promise<Outcome> {
    return this.#inTurn(id, peer, async (device) => {
      await this.#end(device, 'deregistered');
      return { ok: true, device };
    });
  }

  /**
   * Ends a registration without a De-register, unless it already ended or was replaced. Rejects when a handler rejects.
   */
  async remove(device: RegisteredDevice, end: RegistrationEnd): Promise<void> {
    const { tasks, registry } = this.#options;
    const { id, deviceKey } = device.registration;
    await tasks.run(deviceKey, async () => {
      if (registry.withId(id) !== device) return;
      // An Update arrived while this task waited.
      if (end === 'expired' && !registry.isOverdue(device)) return;
      await this.#end(device, end);
    });
  }

  /** Runs the task of a request to a location, after a check that the registration exists and belongs to the peer. */
  async #inTurn(id: string, peer: Peer, task: (device: RegisteredDevice) => Promise<Outcome>): Promise<Outcome> {
    const { registry, tasks } = this.#options;
    const found = registry.withId(id);
    if (!found) return refused('4.04', 'this registration does not exist');
    return tasks.run(found.registration.deviceKey, async () => {
      const device = registry.withId(id);
      if (!device) return refused('4.04', 'this registration does not exist');
      if (!isSameIdentity(device.registration.peer, peer))
        return refused('4.00', 'the registration belongs to another peer');
      return task(device);
    });
  }

  async #end(device: RegisteredDevice, end: RegistrationEnd): Promise<void> {
    await this.#options.handlers.ended(device.registration, end);
    this.#options.registry.remove(device);
    await this.#drop(device);
  }

  /** Ends everything that belongs to a registration (Core 1.2 §6.2.1). */
  async #drop(device: RegisteredDevice): Promise<void> {
    device.end();
    this.#options.queue.forget(device);
    await this.#options.observations.endAll(device, 'registration-ended');
  }

  /**
   * A device opened a session, or its session has a new address: moves the registrations of the same authenticated
   * identity there at once, and then stores that. `formerKey` as in `CoapEndpoint.onPeerArrived`. Rejects when a handler
   * rejects; the devices have moved before that.
   *
   * After a full handshake, a registration moves only when the identity has no registration in another session. Nothing
   * moves over NoSec: an address proves nothing.
   */
  async follow(peer: Peer, formerKey: string | null, reachedBy: Lwm2mEndpoint): Promise<void> {
    const { handlers, registry, tasks } = this.#options;
    const movers = moversTo(peer, formerKey, reachedBy, registry);
    // Without waiting: the first message in the session, which may follow at once, must find its device.
    const moves = movers.map((device) => this.#take(device, { ...device.registration, peer }, reachedBy));
    const stored = movers.map((device) =>
      tasks.run(device.registration.deviceKey, async () => {
        if (registry.withId(device.registration.id) === device) await handlers.moved(device.registration);
      }),
    );
    await Promise.all([...moves, ...stored]);
  }

  /** Moves the device and its observations to the address of the Update. */
  async #take(device: RegisteredDevice, registration: Registration, reachedBy: Lwm2mEndpoint): Promise<void> {
    const { registry, observations } = this.#options;
    const from = { peer: device.registration.peer, reachedBy: device.reachedBy };
    const alone = registry.atPeer(from.reachedBy.endpoint, from.peer) === device;
    registry.update(device, registration, reachedBy);
    device.connected = true;
    if (from.reachedBy === reachedBy && from.peer.key === registration.peer.key) return;
    // RFC 8323 §7.4: an observation ends with its connection.
    if (isStream(from.reachedBy)) await observations.endAll(device, 'cancelled');
    else if (from.reachedBy === reachedBy && alone) {
      reachedBy.endpoint.movePeer(from.peer, registration.peer);
      await observations.endRejected(device);
    } else await observations.carryOver(device, reachedBy);
  }

  /** Null when one of the Profile IDs is unknown. */
  async #profileLinks(profileIds: readonly string[], deviceKey: string): Promise<readonly Link[] | null> {
    const links: Link[] = [];
    for (const profileId of profileIds) {
      const found = await this.#options.handlers.profileObjects?.(profileId, deviceKey);
      if (!found) return null;
      links.push(...found);
    }
    return links;
  }
}

function refused(code: RefusalCode, message: string, cause: RefusalCause = 'MALFORMED'): Refused {
  return { ok: false, code, message, cause };
}

/**
 * A request may change a registration when it has the identity that registered. Over NoSec there is no identity: the
 * location, which only the device knows, authorises the request.
 */
export function isSameIdentity({ security: registered }: Peer, { security: asking }: Peer): boolean {
  if (registered === null || asking === null) return registered === asking;
  return (
    registered.kind === asking.kind && registered.name === asking.name && registered.credential === asking.credential
  );
}

function hasMoved(before: Registration, reachedBy: Lwm2mEndpoint, peer: Peer, now: Lwm2mEndpoint): boolean {
  return reachedBy !== now || before.peer.address !== peer.address || before.peer.port !== peer.port;
}

function moversTo(
  peer: Peer,
  formerKey: string | null,
  reachedBy: Lwm2mEndpoint,
  registry: Registry,
): readonly RegisteredDevice[] {
  if (peer.security === null) return [];
  const own = registry
    .withCredential(peer.security.credential)
    .filter((device) => device.reachedBy === reachedBy && isSameIdentity(device.registration.peer, peer));
  const former = own.filter(({ registration }) => registration.peer.key === formerKey);
  if (former.length > 0) return former;
  const [first] = own;
  const together = own.every(({ registration }) => registration.peer.key === first?.registration.peer.key);
  return together ? own : [];
}
