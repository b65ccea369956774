import type { Clock } from '../clock.ts';
import type { CoapEndpoint, Peer } from '../coap/index.ts';
import { Deadlines } from './deadlines.ts';
import type { Lwm2mEndpoint, RegisteredDevice } from './registered-device.ts';
import type { Registration } from './registration/registration.ts';

/**
 * Finds registered devices by location, by device key and by peer, and knows when each registration expires. It holds
 * only this state; callers call the handlers before they change it.
 */
export class Registry {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #byId = new Map<string, RegisteredDevice>();
  readonly #byDevice = new Map<string, RegisteredDevice>();
  readonly #byPeer = new Map<CoapEndpoint, Map<string, RegisteredDevice>>();
  readonly #byCredential = new Map<string, RegisteredDevice[]>();
  readonly #expiry: Deadlines<RegisteredDevice>;

  /** @param expired called after the lifetime and the grace; the device is still registered at that time */
  constructor(clock: Clock, graceMs: number, expired: (device: RegisteredDevice) => void) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#expiry = new Deadlines(clock, expired);
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<RegisteredDevice> {
    return this.#byId.values();
  }

  withId(id: string): RegisteredDevice | undefined {
    return this.#byId.get(id);
  }

  withKey(deviceKey: string): RegisteredDevice | undefined {
    return this.#byDevice.get(deviceKey);
  }

  /** The device that last registered or updated from this peer. */
  atPeer(endpoint: CoapEndpoint, peer: Peer): RegisteredDevice | undefined {
    return this.#byPeer.get(endpoint)?.get(peer.key);
  }

  /** The devices that registered or updated with this credential; usually one. */
  withCredential(credential: string): readonly RegisteredDevice[] {
    return this.#byCredential.get(credential) ?? [];
  }

  /** Adds the device and removes the one with the same device key. */
  add(device: RegisteredDevice): void {
    const { registration } = device;
    const replaced = this.#byDevice.get(registration.deviceKey);
    if (replaced) this.remove(replaced);
    this.#byId.set(registration.id, device);
    this.#byDevice.set(registration.deviceKey, device);
    this.#arrive(device);
    this.#schedule(device, 0);
  }

  /** Applies an Update, including a new address. */
  update(device: RegisteredDevice, registration: Registration, reachedBy: Lwm2mEndpoint): void {
    this.#leave(device);
    device.registration = registration;
    device.reachedBy = reachedBy;
    this.#arrive(device);
    this.#schedule(device, 0);
  }

  remove(device: RegisteredDevice): void {
    const { id, deviceKey } = device.registration;
    if (this.#byId.get(id) === device) this.#byId.delete(id);
    if (this.#byDevice.get(deviceKey) === device) this.#byDevice.delete(deviceKey);
    this.#leave(device);
    this.#expiry.delete(device);
  }

  /** True when the lifetime and the grace are over. */
  isOverdue({ registration: { expiresAt } }: RegisteredDevice): boolean {
    return expiresAt !== null && expiresAt + this.#graceMs <= this.#clock.now();
  }

  /** Postpones the expiry by at least `ms`: it could not be stored, or the server was not running. */
  postpone(device: RegisteredDevice, ms: number): void {
    this.#schedule(device, this.#clock.now() + ms);
  }

  stop(): void {
    this.#expiry.stop();
  }

  #schedule(device: RegisteredDevice, earliest: number): void {
    const { expiresAt } = device.registration;
    if (expiresAt === null) this.#expiry.delete(device);
    else this.#expiry.set(device, Math.max(expiresAt + this.#graceMs, earliest));
  }

  #arrive(device: RegisteredDevice): void {
    const { endpoint } = device.reachedBy;
    const peers = this.#byPeer.get(endpoint) ?? new Map<string, RegisteredDevice>();
    const { key, security } = device.registration.peer;
    this.#byPeer.set(endpoint, peers.set(key, device));
    if (security === null) return;
    const others = this.#byCredential.get(security.credential);
    if (others) others.push(device);
    else this.#byCredential.set(security.credential, [device]);
  }

  #leave(device: RegisteredDevice): void {
    const peers = this.#byPeer.get(device.reachedBy.endpoint);
    // A NAT may have given the address to another device in the meantime.
    const { key, security } = device.registration.peer;
    if (peers?.get(key) === device) peers.delete(key);
    const sharing = security && this.#byCredential.get(security.credential);
    const at = sharing?.indexOf(device) ?? -1;
    if (!sharing || at < 0) return;
    sharing.splice(at, 1);
    if (sharing.length === 0) this.#byCredential.delete(security.credential);
  }
}
