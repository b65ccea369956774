import type { Clock } from '../../clock.ts';
import type { ReadingOrigin } from '../../lwm2m/index.ts';
import type { TenantId } from '../access/index.ts';
import { RateBudget, type Log } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';

/** How many readings a device and a tenant may send. */
export interface ReadingRates {
  /** Per second, after `BURST_SECONDS` times as many at once. */
  readonly perDevice: number;
  /** The same for all devices of a tenant together; null: no limit. */
  readonly perTenant: number | null;
}

/** What the server did with messages whose readings were above the limit. */
export interface LimitSnapshot {
  /** Notifications that waited for their acknowledgement, so that the device sends more slowly. */
  readonly delayed: number;
  /** Sends that were refused with 4.29, and notifications that were not acknowledged. */
  readonly refused: number;
}

export interface Sender {
  readonly key: DeviceKey;
  readonly tenantId: TenantId;
}

/** A device that was offline may send the readings of a long time at once. */
const BURST_SECONDS = 100;
/** A notification waits at most so long: the device repeats an unacknowledged one after 2 to 3 s (RFC 7252 §4.8). */
const LONGEST_WAIT_MS = 5_000;
const MOST_LOGGED = 10_000;

/**
 * Limits the readings of each device and of each tenant, so that one of them does not use up the database. The limit
 * does not lose what it can keep: a notification above it is stored later and acknowledged then, so the device, which may
 * have one unacknowledged message (NSTART, RFC 7252 §4.7), sends more slowly. A Send above it gets 4.29 with Max-Age
 * (RFC 8516).
 */
export class ReadingLimit {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #devices: RateBudget<DeviceKey>;
  readonly #tenants: RateBudget<TenantId> | null;
  readonly #logged = new Set<DeviceKey>();
  #delayed = 0;
  #refused = 0;

  constructor({ clock, log, perDevice, perTenant }: ReadingRates & { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#devices = new RateBudget({ clock, perSecond: perDevice, burst: perDevice * BURST_SECONDS });
    this.#tenants =
      perTenant === null ? null : new RateBudget({ clock, perSecond: perTenant, burst: perTenant * BURST_SECONDS });
  }

  /**
   * Resolves when the readings may be stored: with null, or with the milliseconds after which the device may send them
   * again. Only a Send and a notification are limited: the server itself requested the others.
   */
  async admit(sender: Sender, origin: ReadingOrigin, count: number): Promise<{ readonly retryAfterMs: number } | null> {
    if (origin === 'READ' || origin === 'WRITE') return null;
    const { key, tenantId } = sender;
    const wait = Math.max(this.#devices.wait(key, count), this.#tenants?.wait(tenantId, count) ?? 0);
    if (wait > 0) this.#report(sender);
    if (wait > (origin === 'SEND' ? 0 : LONGEST_WAIT_MS)) {
      this.#refused++;
      return { retryAfterMs: wait };
    }
    this.#devices.take(key, count);
    this.#tenants?.take(tenantId, count);
    if (wait > 0) {
      this.#delayed++;
      await new Promise<void>((resolve) => void this.#clock.after(wait, resolve));
    }
    return null;
  }

  snapshot(): LimitSnapshot {
    return { delayed: this.#delayed, refused: this.#refused };
  }

  /** One line for each device: the counters tell how often it happens. */
  #report({ key }: Sender): void {
    if (this.#logged.has(key)) return;
    for (const oldest of this.#logged) {
      if (this.#logged.size < MOST_LOGGED) break;
      this.#logged.delete(oldest);
    }
    this.#logged.add(key);
    this.#log.warn({ device: key }, 'a device sends more readings than its limit, or its tenant than the limit of all');
  }
}
