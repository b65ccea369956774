import type { Clock } from '../../clock.ts';
import {
  CoapError,
  formatCode,
  isSuccess,
  type CoapEndpoint,
  type IncomingResponse,
  type OutgoingRequest,
  type Peer,
} from '../../coap/index.ts';
import { ContentFormat, encode } from '../codec/index.ts';
import { Lwm2mError } from '../error.ts';
import { Path } from '../path.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';
import { readDiscovered, USUAL_ACCOUNTS } from './account.ts';
import { instancesToWrite, type BootstrapConfiguration, type BootstrapInstance } from './configuration.ts';
import type { BootstrapOutcome, BootstrapStep } from './handlers.ts';

/** The device gives up without a Finish after EXCHANGE_LIFETIME, so each step needs a shorter timeout. */
const STEP_TIMEOUT_MS = 60_000;
const LONGEST_MESSAGE = 256;
const NOT_ACCEPTABLE = '4.06';
const UNSUPPORTED_FORMAT = '4.15';
/**
 * The device waits for its pack during the Discover, so the Discover must be short: one retransmission (after at most
 * ACK_TIMEOUT × ACK_RANDOM_FACTOR = 3 s) and its response.
 */
const PACK_DISCOVER_TIMEOUT_MS = 5_000;

export interface BootstrapSessionOptions {
  readonly endpoint: CoapEndpoint;
  readonly clock: Clock;
  readonly peer: Peer;
  readonly configuration: BootstrapConfiguration;
  /** The preferred format of the device (`pct`); null: TLV, which every device supports. */
  readonly contentFormat: number | null;
  /** Ends the session; its reason becomes the reason of the outcome. */
  readonly signal: AbortSignal;
  readonly stepped: (step: BootstrapStep) => Promise<void>;
}

interface StepResponse {
  readonly code: string;
  readonly ok: boolean;
  readonly message: string | null;
  readonly response: IncomingResponse;
}

/** Ends the session; `message` is the outcome's reason. */
class Broken extends Error {
  /** True: the device answered a request with a Reset. */
  readonly reset: boolean;

  constructor(message: string, reset = false) {
    super(message);
    this.reset = reset;
  }
}

/**
 * Performs the steps of one bootstrap one after the other: Discover, Deletes, Writes, Reads, Finish (Core 1.2 §6.1.5).
 * When the device answers Finish with 4.06, a second round deletes everything first; after a second 4.06 the bootstrap
 * has failed with the reason of the device.
 */
export class BootstrapSession {
  readonly #options: BootstrapSessionOptions;
  readonly #formats: number[];
  #lwm2mVersion: Lwm2mVersion | null = null;

  constructor(options: BootstrapSessionOptions) {
    this.#options = options;
    const preferred = options.contentFormat;
    this.#formats =
      preferred === null || preferred === ContentFormat.tlv ? [ContentFormat.tlv] : [preferred, ContentFormat.tlv];
  }

  /** Rejects only when `stepped` rejects. */
  async run(): Promise<BootstrapOutcome> {
    try {
      const accounts = await this.#discover(STEP_TIMEOUT_MS);
      const { configuration } = this.#options;
      let refusal = await this.#round(configuration.deletes, accounts);
      if (refusal !== null) refusal = await this.#round([Path.root], accounts);
      if (refusal === null) return { finished: true, lwm2mVersion: this.#lwm2mVersion };
      return {
        finished: false,
        reason: `the device refused Finish with 4.06 twice${refusal && `: ${refusal}`}`,
      };
    } catch (error) {
      if (error instanceof Broken) return { finished: false, reason: error.message };
      throw error;
    }
  }

  /** Null when the device accepted the configuration; else the diagnostic message of its 4.06. */
  async #round(deletes: readonly Path[], accounts: ReadonlySet<number>): Promise<string | null> {
    const { configuration } = this.#options;
    for (const path of deletes) await this.#delete(path);
    for (const instance of instancesToWrite(configuration.values, accounts)) await this.#write(instance);
    for (const path of configuration.reads)
      await this.#step('READ', path.toString(), 0, { method: 'GET', path: path.segments() });
    const finish = await this.#step('FINISH', '/bs', 0, { method: 'POST', path: ['bs'] });
    if (finish.ok) return null;
    if (finish.code === NOT_ACCEPTABLE) return finish.message ?? '';
    throw new Broken(said('Finish', finish));
  }

  /**
   * Discovers the bootstrap account before a pack. A device that does not answer may not accept requests while it waits
   * for its pack: then the usual account is assumed. A string is the reason why the session was aborted.
   */
  async accountsBeforePack(): Promise<ReadonlySet<number> | string> {
    try {
      return await this.#discover(PACK_DISCOVER_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return this.#options.signal.aborted ? error.message : USUAL_ACCOUNTS;
    }
  }

  /** Finds the bootstrap account. A device that refuses or resets Discover does not support it (LwM2M 1.0). */
  async #discover(timeoutMs: number): Promise<ReadonlySet<number>> {
    const request = { method: 'GET', path: [], accept: ContentFormat.linkFormat, timeoutMs } as const;
    const answer = await this.#step('DISCOVER', '/', 0, request).catch((error: unknown) => {
      if (error instanceof Broken && error.reset) return null;
      throw error;
    });
    if (!answer?.ok) return USUAL_ACCOUNTS;
    const { lwm2mVersion, accounts } = readDiscovered(answer.response.payload);
    this.#lwm2mVersion = lwm2mVersion;
    return accounts;
  }

  async #delete(path: Path): Promise<void> {
    const answer = await this.#step('DELETE', path.toString(), 0, { method: 'DELETE', path: path.segments() });
    // 4.04 means that there is nothing to delete.
    if (!answer.ok && answer.code !== '4.04') throw new Broken(said(`Delete ${path}`, answer));
  }

  async #write(instance: BootstrapInstance): Promise<void> {
    for (;;) {
      const [contentFormat = ContentFormat.tlv] = this.#formats;
      const payload = this.#encode(instance, contentFormat);
      const answer = await this.#step('WRITE', instance.path.toString(), payload.length, {
        method: 'PUT',
        path: instance.path.segments(),
        contentFormat,
        payload,
      });
      if (answer.ok) return;
      const another = answer.code === UNSUPPORTED_FORMAT && this.#formats.length > 1;
      if (!another) throw new Broken(said(`Write ${instance.path}`, answer));
      this.#formats.shift();
    }
  }

  #encode({ path, values }: BootstrapInstance, contentFormat: number): Uint8Array {
    try {
      return encode({ contentFormat, path, values });
    } catch (error) {
      if (error instanceof Lwm2mError)
        throw new Broken(`the configuration of ${path} can't be encoded: ${error.message}`);
      throw error;
    }
  }

  async #step(
    operation: BootstrapStep['operation'],
    path: string,
    sentBytes: number,
    request: OutgoingRequest,
  ): Promise<StepResponse> {
    const { endpoint, peer, clock, signal, stepped } = this.#options;
    const startedAt = clock.now();
    const step = { operation, path, contentFormat: request.contentFormat ?? null, startedAt };
    let response: IncomingResponse;
    try {
      response = await endpoint.request(peer, { timeoutMs: STEP_TIMEOUT_MS, ...request, signal });
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      const message = error.code === 'CANCELLED' ? String(signal.reason) : error.message;
      await stepped({ ...step, bytes: sentBytes, code: null, message, endedAt: clock.now() });
      throw new Broken(`${operation} ${path}: ${message}`, error.code === 'RESET');
    }
    const ok = isSuccess(response.code);
    const message = ok ? null : diagnostic(response.payload);
    const answer = { code: formatCode(response.code), ok, message, response };
    const bytes = sentBytes || (ok ? response.payload.length : 0);
    await stepped({ ...step, bytes, code: answer.code, message, endedAt: clock.now() });
    return answer;
  }
}

function said(what: string, { code, message }: StepResponse): string {
  return `the device answered ${code} to ${what}${message === null ? '' : `: ${message}`}`;
}

/** The diagnostic payload (RFC 7252 §5.5.2) without control characters. */
function diagnostic(payload: Uint8Array): string | null {
  if (payload.length === 0) return null;
  return Buffer.from(payload.subarray(0, LONGEST_MESSAGE))
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, ' ');
}
