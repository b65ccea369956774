import type { Clock, Timer } from '../../clock.ts';
import { Lwm2mError, type Lwm2mServer } from '../../lwm2m/index.ts';
import { FleetError, type Log, type Turns } from '../common/index.ts';
import { deviceKey, parseDeviceKey, type DeviceKey } from '../devices/index.ts';
import type { OperationInput } from '../operations/index.ts';
import type { LiveDevice, Roster } from '../presence/index.ts';
import { defaultDelivery, isRestart } from './delivery.ts';
import { NextRegistrations } from './next-registration.ts';
import { errorOf, type Execution } from './rpc-execution.ts';
import { ASLEEP, EXPIRED, PERHAPS_DONE, RESTARTED, TOO_LATE, UNREACHABLE } from './rpc-errors.ts';
import { RpcExpiry } from './rpc-expiry.ts';
import type { RpcJournal, StatusChange } from './rpc-journal.ts';
import { hasEnded } from './rpc-state.ts';
import type { Rpc, RpcError } from './rpc.ts';
import type { SmsTrigger } from './sms-trigger.ts';

export interface DispatcherParts {
  readonly journal: RpcJournal;
  readonly roster: Roster;
  readonly lwm2m: () => Lwm2mServer;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  readonly smsTrigger: SmsTrigger | null;
  /** Sends the operation to the device and resolves with its answer. */
  readonly execute: Execution;
}

/** The state of one device's queue; its calls are in the database. */
interface Queue {
  draining: boolean;
  /** A call or a message of the device came while the queue was sent. */
  again: boolean;
  /** The timer of the next try after the device did not answer. */
  retry: Timer | null;
}

/** How a try to send from a queue ended: one call was answered, no call waits, or the device can't be asked now. */
type Sent = 'one' | 'none' | 'held';

interface Running {
  readonly key: DeviceKey;
  readonly abort: AbortController;
}

interface Waiter {
  readonly resolve: (rpc: Rpc) => void;
  readonly reject: (error: unknown) => void;
}

/** The most calls that run on one device at a time; a further call waits in the queue. */
const MOST_AT_ONCE = 32;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 3_600_000;

/**
 * Sends recorded RPCs to their devices and records how they end. It sends a call to an awake device at once. Persistent
 * calls, and every call to a sleeping device, wait in the database; it sends them in order, one at a time, when the
 * device can be asked (Core 1.2 §6.6).
 */
export class RpcDispatcher {
  readonly #parts: DispatcherParts;
  readonly #queues = new Map<DeviceKey, Queue>();
  readonly #running = new Map<string, Running>();
  /** The timers of `timeoutMs`, by RPC id, for the calls that wait and are not persistent. */
  readonly #deadlines = new Map<string, Timer>();
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #expiry: RpcExpiry;
  readonly #registrations: NextRegistrations;
  #stopped = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#registrations = new NextRegistrations(parts.roster, parts.clock);
    this.#expiry = new RpcExpiry(parts, async (rpc, now) => {
      // A call that is being sent does not expire here: `#run` records how it ends.
      if (!this.#running.has(rpc.id)) await this.#change(rpc, { to: 'EXPIRED', at: now, error: EXPIRED });
    });
  }

  /**
   * Queues the calls that had not ended when the server stopped, and ends those that can't be tried again as TIMEOUT.
   */
  async start(): Promise<void> {
    const now = this.#parts.clock.now();
    for (const { rpc, delivery } of await this.#parts.journal.unfinished()) {
      const waits = rpc.status === 'QUEUED';
      if (!waits && delivery === 'AT_MOST_ONCE') {
        await this.#change(rpc, { to: 'UNKNOWN', at: now, error: PERHAPS_DONE });
      } else if (rpc.mode === 'PERSISTENT') {
        if (!waits) await this.#change(rpc, { to: 'QUEUED', at: now, detail: 'the server restarted' });
        this.#enqueue(rpc);
      } else if (waits && deadlineOf(rpc) > now) {
        this.#enqueue(rpc);
      } else {
        await this.#change(rpc, { to: 'TIMEOUT', at: now, error: RESTARTED });
      }
    }
  }

  /** Sends a recorded call, or queues it when the device can't be asked now. */
  dispatch(rpc: Rpc, operation: OperationInput): void {
    const { roster, lwm2m } = this.#parts;
    const key = deviceKey(rpc.tenantId, rpc.deviceId);
    const device = roster.get(key);
    if (!device || !lwm2m().registration(key)) {
      if (rpc.mode === 'PERSISTENT') this.#enqueue(rpc);
      else void this.#change(rpc, { to: 'TIMEOUT', at: this.#parts.clock.now(), error: UNREACHABLE });
      return;
    }
    const full = this.#onTheirWay(key).length >= MOST_AT_ONCE;
    if (rpc.mode === 'PERSISTENT' || lwm2m().isUnreachable(key) || this.#queues.has(key) || full) {
      if (lwm2m().isUnreachable(key) && !this.#queues.has(key)) this.#trigger(device);
      this.#enqueue(rpc);
      this.wake(key);
    } else {
      void this.#run(device, rpc, operation);
    }
  }

  /** Resolves when the call has ended. */
  ended(rpc: Rpc): Promise<Rpc> {
    if (hasEnded(rpc.status)) return Promise.resolve(rpc);
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(rpc.id) ?? [];
      waiters.push({ resolve, reject });
      this.#waiters.set(rpc.id, waiters);
    });
  }

  /** Sends the calls that wait for the device, which can be asked now. */
  wake(key: DeviceKey): void {
    this.#registrations.check(key);
    const queue = this.#queues.get(key);
    if (!queue) return;
    queue.retry?.cancel();
    queue.retry = null;
    this.#drain(key, queue);
  }

  /** A message of the device came: it is the best time for another try. */
  heard(key: DeviceKey): void {
    if (this.#queues.get(key)?.retry) this.wake(key);
  }

  /** Cancels a call and resolves with it; null when the device has received the call or the call has ended. */
  async cancel(rpc: Rpc, to: 'CANCELLED' | 'DELETED' = 'CANCELLED'): Promise<Rpc | null> {
    const cancelled = await this.#change(rpc, { to, at: this.#parts.clock.now() });
    if (cancelled) this.#running.get(rpc.id)?.abort.abort();
    return cancelled;
  }

  /** Drops the queue of a deleted device. */
  forget(key: DeviceKey): void {
    this.#queues.get(key)?.retry?.cancel();
    this.#queues.delete(key);
  }

  /** Stops the timers and aborts the calls that run. The next start takes up what had not ended. */
  stop(): void {
    this.#stopped = true;
    for (const { abort } of this.#running.values()) abort.abort();
    for (const timer of this.#deadlines.values()) timer.cancel();
    for (const queue of this.#queues.values()) queue.retry?.cancel();
    this.#expiry.stop();
    const stopping = new FleetError('CONFLICT', 'the server is stopping');
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.reject(stopping);
    this.#waiters.clear();
  }

  /** How many queues, running calls and waiting callers there are. */
  get size(): { queues: number; running: number; waiters: number } {
    return { queues: this.#queues.size, running: this.#running.size, waiters: this.#waiters.size };
  }

  #trigger({ tenantId, deviceId, endpoint, registration: { smsNumber } }: LiveDevice): void {
    if (smsNumber !== null) this.#parts.smsTrigger?.({ tenantId, deviceId, endpoint, smsNumber });
  }

  #enqueue(rpc: Rpc): void {
    const key = deviceKey(rpc.tenantId, rpc.deviceId);
    const queue = this.#queues.get(key) ?? { draining: false, again: false, retry: null };
    queue.again = true;
    this.#queues.set(key, queue);
    if (rpc.mode === 'PERSISTENT') {
      if (rpc.expiresAt) this.#expiry.at(rpc.expiresAt.getTime());
      return;
    }
    const timer = this.#parts.clock.after(deadlineOf(rpc) - this.#parts.clock.now(), () => {
      this.#deadlines.delete(rpc.id);
      if (!this.#running.has(rpc.id)) {
        const error = this.#parts.lwm2m().isUnreachable(key) ? ASLEEP : TOO_LATE;
        void this.#change(rpc, { to: 'TIMEOUT', at: this.#parts.clock.now(), error });
      }
    });
    this.#deadlines.set(rpc.id, timer);
  }

  #drain(key: DeviceKey, queue: Queue): void {
    queue.again = true;
    if (queue.draining) return;
    queue.draining = true;
    void this.#sendAll(key, queue).catch((error: unknown) => {
      // The calls stay in the database; the device's next message, or the end of the wait, starts another try.
      this.#parts.log.error({ device: key, err: error }, 'waiting calls could not be sent');
      this.#retryLater(key, 0);
    });
  }

  async #sendAll(key: DeviceKey, queue: Queue): Promise<void> {
    try {
      while (queue.again) {
        queue.again = false;
        let sent: Sent;
        do sent = await this.#parts.turns.take(key, () => this.#sendNext(key, queue));
        while (sent === 'one');
        // A message of the device, or the end of the wait, may have come while the last attempt was recorded.
        if (sent === 'held' && !queue.again) return;
      }
      if (this.#queues.get(key) === queue) this.#queues.delete(key);
    } finally {
      // In one step with the last look at `again`: a later message starts `#sendAll` anew.
      queue.draining = false;
    }
  }

  async #sendNext(key: DeviceKey, queue: Queue): Promise<Sent> {
    const device = this.#maySend(key, queue);
    if (!device) return 'held';
    const { tenantId, deviceId } = parseDeviceKey(key);
    const next = await this.#parts.journal.firstQueued(tenantId, deviceId, this.#onTheirWay(key));
    if (!next) return 'none';
    if (!this.#maySend(key, queue)) return 'held';
    const answered = await this.#run(device, next.rpc, next.operation);
    return answered ? 'one' : 'held';
  }

  #onTheirWay(key: DeviceKey): string[] {
    return [...this.#running].filter(([, running]) => running.key === key).map(([id]) => id);
  }

  #maySend(key: DeviceKey, queue: Queue): LiveDevice | null {
    const { roster, lwm2m } = this.#parts;
    const device = roster.get(key);
    const away = queue.retry !== null || !lwm2m().registration(key) || lwm2m().isUnreachable(key);
    return this.#stopped || away || !device ? null : device;
  }

  /** Sends one call and records how it ends, also when it fails. Resolves with false when the device did not answer. */
  async #run(device: LiveDevice, rpc: Rpc, operation: OperationInput): Promise<boolean> {
    const { clock, log, execute } = this.#parts;
    const deadline = rpc.mode === 'PERSISTENT' ? null : deadlineOf(rpc);
    if (deadline !== null && deadline <= clock.now()) {
      await this.#change(rpc, { to: 'TIMEOUT', at: clock.now(), error: TOO_LATE });
      return true;
    }
    const running: Running = { key: device.key, abort: new AbortController() };
    this.#running.set(rpc.id, running);
    this.#deadlines.get(rpc.id)?.cancel();
    this.#deadlines.delete(rpc.id);
    const progress: { reached: 'nothing' | 'sent' | 'delivered' } = { reached: 'nothing' };
    const onSent = (): void => {
      if (progress.reached !== 'nothing') return;
      progress.reached = 'sent';
      void this.#change(rpc, { to: 'SENT', at: clock.now() });
      // A one-way call ends once it is sent; its answer is not awaited.
      if (rpc.mode === 'ONE_WAY') void this.#change(rpc, { to: 'SUCCESSFUL', at: clock.now() });
    };
    const onDelivered = (): void => {
      onSent();
      if (progress.reached === 'delivered') return;
      progress.reached = 'delivered';
      void this.#change(rpc, { to: 'DELIVERED', at: clock.now() });
    };
    try {
      const outcome = await execute(device, operation, {
        timeoutMs: rpc.timeoutMs,
        ...(deadline !== null && { deadline }),
        signal: running.abort.signal,
        onSent,
        onDelivered,
      });
      onDelivered();
      const { result, error } = outcome;
      await this.#change(rpc, {
        to: error ? 'FAILED' : 'SUCCESSFUL',
        at: clock.now(),
        result,
        ...(error && { error }),
      });
      return true;
    } catch (error) {
      // `cancel` aborted the call and recorded that, or `stop` aborted it.
      if (running.abort.signal.aborted) return true;
      // The device fell asleep before the request was sent: the call waits as if it had not been tried.
      if (error instanceof Lwm2mError && error.code === 'UNREACHABLE' && progress.reached === 'nothing') {
        this.#enqueue(rpc);
        return false;
      }
      const away =
        error instanceof Lwm2mError &&
        ['TIMEOUT', 'NOT_REGISTERED', 'CANCELLED', 'UNREACHABLE', 'DISCONNECTED'].includes(error.code);
      if (away) {
        const { reached } = progress;
        if (reached === 'delivered' && isRestart(operation)) {
          // Another registration proves that the device restarted, so that its answer is not needed.
          const until = deadline ?? clock.now() + rpc.timeoutMs;
          if (await this.#registrations.of(device, until, running.abort.signal)) {
            await this.#change(rpc, { to: 'SUCCESSFUL', at: clock.now(), detail: 'the device registered again' });
            return true;
          }
          if (running.abort.signal.aborted) return true;
        }
        const once = (rpc.delivery ?? defaultDelivery(operation)) === 'AT_MOST_ONCE';
        const ends = (once && reached !== 'nothing') || (reached === 'delivered' && rpc.mode !== 'PERSISTENT');
        const tried = ends ? 'perhaps done' : reached === 'nothing' ? 'nothing' : 'sent';
        const late = tried === 'nothing' ? TOO_LATE : errorOf(error);
        const unanswered = error.code === 'TIMEOUT' || error.code === 'DISCONNECTED';
        await this.#away(rpc, unanswered ? late : UNREACHABLE, tried);
        return false;
      }
      if (progress.reached !== 'nothing') onDelivered();
      await this.#change(rpc, { to: 'FAILED', at: clock.now(), error: this.#failure(rpc, error) });
      if (!(error instanceof Lwm2mError || error instanceof FleetError)) {
        log.error({ rpc: rpc.id, err: error }, 'a call failed');
      }
      return true;
    } finally {
      this.#running.delete(rpc.id);
    }
  }

  #failure(rpc: Rpc, error: unknown): RpcError {
    if (error instanceof Lwm2mError) return errorOf(error);
    if (error instanceof FleetError) return { code: 'INVALID_ARGUMENT', coapCode: null, message: error.message };
    return { code: 'INTERNAL', coapCode: null, message: `the call failed here: see the log of ${rpc.id}` };
  }

  /** Records that the device did not answer: a persistent call waits for another try, any other call has timed out. */
  async #away(rpc: Rpc, error: RpcError, tried: 'nothing' | 'sent' | 'perhaps done'): Promise<void> {
    const now = this.#parts.clock.now();
    if (error.code === 'TIMEOUT') this.#retryLater(deviceKey(rpc.tenantId, rpc.deviceId), rpc.attempts);
    if (tried === 'perhaps done') {
      await this.#change(rpc, { to: 'UNKNOWN', at: now, error: PERHAPS_DONE });
    } else if (rpc.mode !== 'PERSISTENT') {
      await this.#change(rpc, { to: 'TIMEOUT', at: now, error });
    } else if (rpc.expiresAt && rpc.expiresAt.getTime() <= now) {
      await this.#change(rpc, { to: 'EXPIRED', at: now, error: EXPIRED });
    } else if (tried === 'sent') {
      await this.#change(rpc, { to: 'QUEUED', at: now, detail: error.message });
    }
  }

  /**
   * Tries again after 5 s, after twice as long with each attempt, and after an hour at most. The device's next message
   * ends the wait.
   */
  #retryLater(key: DeviceKey, attempts: number): void {
    const queue = this.#queues.get(key);
    if (!queue || this.#stopped) return;
    queue.retry?.cancel();
    queue.retry = this.#parts.clock.after(Math.min(FIRST_RETRY_MS * 2 ** attempts, LAST_RETRY_MS), () => {
      queue.retry = null;
      this.#drain(key, queue);
    });
  }

  /** Stores a change, and settles the promises of `ended` when it is the last. Null when it may not follow or fails. */
  async #change(rpc: Rpc, change: StatusChange): Promise<Rpc | null> {
    try {
      const changed = await this.#parts.journal.change(rpc.tenantId, rpc.id, change);
      if (changed && hasEnded(changed.status)) this.#settle(rpc.id, (waiter) => waiter.resolve(changed));
      return changed;
    } catch (error) {
      this.#parts.log.error({ rpc: rpc.id, to: change.to, err: error }, 'a change of a call could not be recorded');
      if (hasEnded(change.to)) this.#settle(rpc.id, (waiter) => waiter.reject(error));
      return null;
    }
  }

  #settle(id: string, settle: (waiter: Waiter) => void): void {
    this.#deadlines.get(id)?.cancel();
    this.#deadlines.delete(id);
    for (const waiter of this.#waiters.get(id) ?? []) settle(waiter);
    this.#waiters.delete(id);
  }
}

function deadlineOf(rpc: Rpc): number {
  return rpc.createdAt.getTime() + rpc.timeoutMs;
}
