import type { Clock, Timer } from '../clock.ts';
import type { Lwm2mVersion } from '../lwm2m/index.ts';
import type { CoapLink, UplinkAnswer } from './coap-link.ts';

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
const LINK_FORMAT = 40;

export interface RegistrationOptions {
  readonly endpoint: string;
  readonly lwm2m: Lwm2mVersion;
  readonly queue: boolean;
  /** The current values, read before every Register and Update. */
  readonly lifetime: () => number;
  readonly binding: () => string;
  /** The object list, in link format. */
  readonly links: () => string;
  /** Called after an accepted Register: the observations of the old registration are over. */
  readonly registered: () => void;
  /** Called when the server answers a Register with 4.xx. Absent: the device retries later. */
  readonly refused?: (() => void) | undefined;
  readonly log: (line: string) => void;
}

/**
 * Keeps the device registered (Core 1.2 §6.2): Register, an Update at half of the lifetime, Register again after 4.04.
 */
export class RegistrationClient {
  readonly #link: CoapLink;
  readonly #clock: Clock;
  readonly #options: RegistrationOptions;
  #location: readonly string[] | null = null;
  #sent = { lifetime: 0, binding: '', links: '' };
  #failures = 0;
  #next: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(link: CoapLink, clock: Clock, options: RegistrationOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#options = options;
  }

  /** `/rd/…`, or null while the device is not registered. */
  get location(): string | null {
    return this.#location === null ? null : `/${this.#location.join('/')}`;
  }

  /** Registers again, also when registered, and retries until it succeeds. Resolves after the first try. */
  register(): Promise<void> {
    return this.#queue(() => this.#register());
  }

  /** Sends an Update with what has changed since the last Register or Update. */
  update(): Promise<void> {
    return this.#queue(() => (this.#location === null ? this.#register() : this.#update(this.#location)));
  }

  /** De-registers. The client sends nothing more until `register` is called. */
  async deregister(): Promise<void> {
    await this.#queue(async () => {
      this.#next?.cancel();
      const location = this.#location;
      this.#location = null;
      if (location === null) return;
      const answer = await this.#link.ask({ method: 'DELETE', path: location });
      this.#options.log(`deregister → ${answer?.code ?? 'no answer'}`);
    });
  }

  /** Stops timers and retries without a De-register. */
  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
  }

  async #register(): Promise<void> {
    const { endpoint, lwm2m, queue, log } = this.#options;
    this.#location = null;
    const current = this.#current();
    const query = [`ep=${endpoint}`, `lt=${current.lifetime}`, `lwm2m=${lwm2m}`, `b=${current.binding}`];
    if (queue && lwm2m !== '1.0') query.push('Q');
    const payload = Buffer.from(current.links);
    const answer = await this.#link.ask({ method: 'POST', path: ['rd'], query, contentFormat: LINK_FORMAT, payload });
    if (answer?.code !== '2.01') return this.#failed('register', answer);
    this.#location = answer.locationPath;
    this.#sent = current;
    this.#succeeded();
    log(`registered as ${endpoint} at ${this.location}`);
    this.#options.registered();
  }

  async #update(location: readonly string[]): Promise<void> {
    const current = this.#current();
    const query: string[] = [];
    if (current.lifetime !== this.#sent.lifetime) query.push(`lt=${current.lifetime}`);
    if (current.binding !== this.#sent.binding) query.push(`b=${current.binding}`);
    const body =
      current.links === this.#sent.links ? {} : { contentFormat: LINK_FORMAT, payload: Buffer.from(current.links) };
    const answer = await this.#link.ask({ method: 'POST', path: location, query, ...body });
    if (answer?.code === '2.04') {
      this.#sent = current;
      this.#options.log('updated the registration');
      this.#succeeded();
      return;
    }
    this.#options.log(`update → ${answer?.code ?? 'no answer'}: registering again`);
    await this.#register();
  }

  #current(): { lifetime: number; binding: string; links: string } {
    return { lifetime: this.#options.lifetime(), binding: this.#options.binding(), links: this.#options.links() };
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#sent.lifetime > 0) this.#later((this.#sent.lifetime * 1000) / 2, () => this.update());
  }

  #failed(what: string, answer: UplinkAnswer | null): void {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
    this.#failures += 1;
    const diagnosis = answer === null ? 'no answer' : `${answer.code} ${Buffer.from(answer.payload).toString()}`.trim();
    const { refused, log } = this.#options;
    if (refused && answer?.code.startsWith('4.')) {
      log(`${what} → ${diagnosis}`);
      this.#stopped = true;
      return refused();
    }
    log(`${what} → ${diagnosis}: retrying in ${wait / 1000} s`);
    this.#later(wait, () => this.register());
  }

  #later(ms: number, task: () => Promise<void>): void {
    this.#next?.cancel();
    this.#next = this.#stopped ? null : this.#clock.after(ms, () => void task());
  }

  /** Runs the tasks one at a time, in order. */
  #queue(task: () => Promise<void>): Promise<void> {
    this.#running = this.#running.then(() => (this.#stopped ? undefined : task()));
    return this.#running;
  }
}
