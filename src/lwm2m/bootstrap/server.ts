import type { Clock } from '../../clock.ts';
import {
  codes,
  type CoapEndpoint,
  type Code,
  type IncomingRequest,
  type OutgoingResponse,
  type Peer,
} from '../../coap/index.ts';
import { ContentFormat, currentContentFormat, encode } from '../codec/index.ts';
import { Lwm2mError } from '../error.ts';
import { Path } from '../path.ts';
import { instancesToWrite } from './configuration.ts';
import type { BootstrapAdmission, BootstrapHandlers, BootstrapStep } from './handlers.ts';
import { BootstrapSession } from './session.ts';

export interface BootstrapServerOptions {
  readonly endpoints: readonly CoapEndpoint[];
  readonly handlers: BootstrapHandlers;
  readonly clock: Clock;
  /**
   * The maximum of running bootstraps; above it the server answers 5.03, and the device tries again. Default 10,000.
   */
  readonly sessions?: number;
  /** Receives errors of handlers that no caller awaits. */
  readonly onFault: (error: unknown, message: string) => void;
}

export interface BootstrapServer {
  /** Ends the running bootstraps; their devices will try again. Resolves when the handlers have stored the end. */
  stop(): Promise<void>;
}

type Admitted = Extract<BootstrapAdmission, { admitted: true }>;

interface Query {
  readonly endpoint: string | null;
  readonly contentFormat: number | null;
}

const MOST_SESSIONS = 10_000;
/** The values that `pct` may have (Core 1.2 §6.1.5). */
const PREFERRED_FORMATS: readonly number[] = [
  ContentFormat.senmlJson,
  ContentFormat.senmlCbor,
  ContentFormat.tlv,
  ContentFormat.lwm2mCbor,
];
/** The content formats of a Bootstrap-Pack, the default first. */
const PACK_FORMATS: readonly number[] = [ContentFormat.senmlCbor, ContentFormat.senmlJson, ContentFormat.lwm2mCbor];

/** Creates the server of the bootstrap interface (Core 1.2 §6.1): Bootstrap-Request and Bootstrap-Pack-Request. */
export function createBootstrapServer(options: BootstrapServerOptions): BootstrapServer {
  return new Server(options);
}

class Server implements BootstrapServer {
  readonly #handlers: BootstrapHandlers;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #onFault: BootstrapServerOptions['onFault'];
  /** The running bootstrap of each device: how to abort it, and a promise of its end. */
  readonly #running = new Map<string, { abort: AbortController; ended: Promise<unknown> }>();
  #stopping = false;

  constructor({ endpoints, handlers, clock, sessions = MOST_SESSIONS, onFault }: BootstrapServerOptions) {
    this.#handlers = handlers;
    this.#clock = clock;
    this.#most = sessions;
    this.#onFault = onFault;
    for (const endpoint of endpoints) {
      endpoint.onRequest((request) => this.#answer(endpoint, request));
      endpoint.open();
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort('the server is stopping');
    await Promise.all(running.map(({ ended }) => ended));
  }

  async #answer(endpoint: CoapEndpoint, request: IncomingRequest): Promise<OutgoingResponse> {
    const [place, ...rest] = request.path;
    if (rest.length > 0 || (place !== 'bs' && place !== 'bspack'))
      return refusal(codes.notFound, 'this path does not exist; use /bs or /bspack');
    const method = place === 'bs' ? 'POST' : 'GET';
    if (request.method !== method) return refusal(codes.methodNotAllowed, `/${place} allows only ${method}`);
    if (this.#stopping || this.#running.size >= this.#most) return refusal(codes.serviceUnavailable, 'try again later');
    const query = readQuery(request.query);
    if ('code' in query) return query;
    const pack = place === 'bspack';
    const admission = await this.#handlers.admit({ endpoint: query.endpoint, peer: request.peer, pack });
    if (!admission.admitted) {
      return refusal(admission.code === '4.03' ? codes.forbidden : codes.badRequest, admission.reason);
    }
    if (this.#stopping) {
      await this.#handlers.ended(admission.bootstrapId, { finished: false, reason: 'the server is stopping' });
      return refusal(codes.serviceUnavailable, 'try again later');
    }
    if (pack) return this.#pack(endpoint, request, admission);
    return {
      code: codes.changed,
      onSent: () => void this.#begin(endpoint, request.peer, admission, query.contentFormat),
    };
  }

  async #begin(endpoint: CoapEndpoint, peer: Peer, admitted: Admitted, contentFormat: number | null): Promise<void> {
    await this.#run(endpoint, peer, admitted, contentFormat, (session, before) =>
      this.#play(session, admitted, before),
    );
  }

  /** Runs the session as the only one of its device: aborts the previous one, whose end is `before`. */
  async #run<Result>(
    endpoint: CoapEndpoint,
    peer: Peer,
    { bootstrapId, deviceKey, configuration }: Admitted,
    contentFormat: number | null,
    play: (session: BootstrapSession, before: Promise<unknown> | undefined) => Promise<Result>,
  ): Promise<Result> {
    const before = this.#running.get(deviceKey);
    before?.abort.abort('the device started another bootstrap');
    const abort = new AbortController();
    const session = new BootstrapSession({
      endpoint,
      clock: this.#clock,
      peer,
      configuration,
      contentFormat,
      signal: abort.signal,
      stepped: (step) => this.#handlers.stepped(bootstrapId, step),
    });
    const result = play(session, before?.ended).finally(() => {
      if (this.#running.get(deviceKey)?.abort === abort) this.#running.delete(deviceKey);
    });
    // The end of a session is awaited by the next one and by `stop`; `result` has the error.
    const ended = Promise.allSettled([result]);
    this.#running.set(deviceKey, { abort, ended });
    return result;
  }

  async #play(
    session: BootstrapSession,
    { bootstrapId }: Admitted,
    before: Promise<unknown> | undefined,
  ): Promise<void> {
    await before;
    const outcome = await session.run().catch((error: unknown) => ({
      finished: false as const,
      reason: `the bootstrap could not be recorded: ${error instanceof Error ? error.message : String(error)}`,
    }));
    await this.#handlers
      .ended(bootstrapId, outcome)
      .catch((error: unknown) => this.#onFault(error, 'the end of a bootstrap could not be recorded'));
  }

  /** Core 1.2 §6.1.6: one payload with the complete configuration. Only a later Register shows that it was accepted. */
  async #pack(endpoint: CoapEndpoint, request: IncomingRequest, admitted: Admitted): Promise<OutgoingResponse> {
    const { bootstrapId, configuration } = admitted;
    const { accept } = request;
    const contentFormat = accept === null ? PACK_FORMATS[0] : PACK_FORMATS.find((format) => format === accept);
    const refuse = async (code: Code, codeText: string, message: string): Promise<OutgoingResponse> => {
      await this.#packed(bootstrapId, { contentFormat: accept, bytes: 0, code: codeText, message }, message);
      return refusal(code, message);
    };
    if (contentFormat === undefined)
      return refuse(
        codes.notAcceptable,
        '4.06',
        `content format ${accept} is not supported for a Bootstrap-Pack; use ${PACK_FORMATS.join(', ')}`,
      );
    return this.#run(endpoint, request.peer, admitted, contentFormat, async (session, before) => {
      await before;
      const accounts = await session.accountsBeforePack();
      if (typeof accounts === 'string') {
        await this.#handlers.ended(bootstrapId, { finished: false, reason: accounts });
        return refusal(codes.serviceUnavailable, 'try again later');
      }
      const values = instancesToWrite(configuration.values, accounts).flatMap((instance) => instance.values);
      try {
        const payload = encode({ contentFormat, path: Path.root, values });
        const step = { contentFormat, bytes: payload.length, code: '2.05', message: null };
        await this.#packed(bootstrapId, step, null);
        return { code: codes.content, contentFormat, payload };
      } catch (error) {
        if (!(error instanceof Lwm2mError)) throw error;
        return refuse(codes.internalServerError, '5.00', `the configuration can't be encoded: ${error.message}`);
      }
    });
  }

  /** Records the pack and the end of its bootstrap. */
  async #packed(
    bootstrapId: string,
    sent: Pick<BootstrapStep, 'contentFormat' | 'bytes' | 'code' | 'message'>,
    failure: string | null,
  ): Promise<void> {
    const now = this.#clock.now();
    const step = { ...sent, operation: 'PACK', path: '/bspack', startedAt: now, endedAt: now } as const;
    await this.#handlers.stepped(bootstrapId, step);
    const outcome =
      failure === null
        ? ({ finished: true, lwm2mVersion: '1.2' } as const)
        : { finished: false as const, reason: failure };
    await this.#handlers.ended(bootstrapId, outcome);
  }
}

/** Reads `ep` and `pct`; ignores other parameters, as for a Register. */
function readQuery(query: readonly string[]): Query | OutgoingResponse {
  const named = new Map<string, string>();
  for (const parameter of query) {
    const [name = '', ...value] = parameter.split('=');
    if (named.has(name)) return refusal(codes.badRequest, `${name} appears twice`);
    named.set(name, value.join('='));
  }
  const endpoint = named.get('ep') ?? null;
  if (endpoint === '') return refusal(codes.badRequest, 'the parameter ep is empty');
  const pct = named.get('pct');
  if (pct === undefined) return { endpoint, contentFormat: null };
  const contentFormat = /^\d{1,5}$/.test(pct) ? currentContentFormat(Number(pct)) : -1;
  if (!PREFERRED_FORMATS.includes(contentFormat)) {
    return refusal(
      codes.unsupportedContentFormat,
      `pct=${pct.slice(0, 20)} is not one of ${PREFERRED_FORMATS.join(', ')}`,
    );
  }
  return { endpoint, contentFormat };
}

function refusal(code: Code, reason: string): OutgoingResponse {
  return { code, payload: Buffer.from(reason) };
}
