import type { Clock } from '../clock.ts';
import { ContentFormat, decode, encode, formatLinks, Lwm2mError, Path } from '../lwm2m/index.ts';
import type { Link, Lwm2mVersion, ObjectModel, TypedValue } from '../lwm2m/index.ts';
import { CoapLink } from './coap-link.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import type { PreSharedKey, ServerAddress } from './server-address.ts';

/** The device fails without a Finish within EXCHANGE_LIFETIME (Core 1.2 §6.1.6). */
const FINISH_WITHIN_MS = 247_000;
/** Time to send the response to the Finish before the port is closed. */
const LAST_ANSWER_MS = 100;
const NO_ATTRIBUTES: Link['attributes'] = {};
/** The bootstrap account: the one Security instance that survives a Delete. */
const ACCOUNT = Path.of(0, 0);

export interface BootstrapClientOptions {
  readonly endpoint: string;
  readonly server: ServerAddress;
  readonly lwm2m: Lwm2mVersion;
  readonly model: ObjectModel;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** The server account that the bootstrap server wrote. */
export interface ServerAccount {
  /** Resource 0 of its Security instance: `coap://127.0.0.1:5683`. */
  readonly uri: string;
  /** Seconds. */
  readonly lifetime: number;
  /** The pre-shared key for the server; null in NoSec mode. */
  readonly psk: PreSharedKey | null;
}

/** Gets an account from a bootstrap server (Core 1.2 §6.1). Rejects when the server provides none. */
export async function bootstrap(options: BootstrapClientOptions): Promise<ServerAccount> {
  const { endpoint, server, clock, log } = options;
  const written = new WrittenInstances(options);
  let settle: (account: ServerAccount | null) => void = nothing;
  const finished = new Promise<ServerAccount | null>((resolve) => {
    settle = resolve;
  });
  const deadline = clock.after(FINISH_WITHIN_MS, () => settle(null));
  const link = await CoapLink.open(server, clock, log, {
    answer(request) {
      const response = written.answer(request);
      log(`bootstrap: ${request.method} /${request.path.join('/')} → ${response.code}`);
      const account = request.path[0] === 'bs' && response.code === '2.04' ? written.account : null;
      if (account) clock.after(LAST_ANSWER_MS, () => settle(account));
      return response;
    },
    observe: () => ({ code: '4.05' }),
    unsubscribed: () => {},
    active: () => {},
    awake: () => true,
    lost: () => settle(null),
  });
  try {
    const answer = await link.ask({ method: 'POST', path: ['bs'], query: [`ep=${endpoint}`] });
    if (answer?.code !== '2.04') {
      const reason = answer ? `${answer.code} ${Buffer.from(answer.payload).toString()}` : 'no answer';
      throw new Error(`the bootstrap server refused the Bootstrap-Request of ${endpoint}: ${reason}`);
    }
    const account = await finished;
    if (account === null)
      throw new Error('the bootstrap server sent no Bootstrap-Finish in time, or the connection was lost');
    return account;
  } finally {
    deadline.cancel();
    await link.close();
  }
}

/** The values that the bootstrap server wrote, by path. */
class WrittenInstances {
  readonly #options: BootstrapClientOptions;
  readonly #values = new Map<string, { readonly path: Path; readonly value: TypedValue }>();

  constructor(options: BootstrapClientOptions) {
    this.#options = options;
  }

  /** The account of the first Security instance whose short server id is also in a Server instance. */
  get account(): ServerAccount | null {
    for (const { path, value } of this.#values.values()) {
      if (path.objectId !== 0 || path.resourceId !== 10) continue;
      const server = this.#below(Path.of(1)).find(
        (one) => one.path.resourceId === 0 && Number(one.value.value) === Number(value.value),
      );
      const uri = this.#values.get(`/0/${path.instanceId}/0`)?.value.value;
      const lifetime = this.#values.get(`/1/${server?.path.instanceId}/1`)?.value.value;
      if (!server || typeof uri !== 'string') continue;
      return { uri, lifetime: Number(lifetime ?? 86_400), psk: this.#psk(Path.of(0, path.instanceId ?? 0)) };
    }
    return null;
  }

  /** Security Mode 0 is PSK: resource 3 its identity, 5 its key (Core 1.2, Appendix E.1). */
  #psk(security: Path): PreSharedKey | null {
    const [mode, identity, key] = [2, 3, 5].map((id) => this.#values.get(String(security.child(id)))?.value);
    if (mode?.value !== 0 || identity?.type !== 'Opaque' || key?.type !== 'Opaque') return null;
    return { identity: Buffer.from(identity.value).toString(), key: key.value };
  }

  answer(request: CoapRequest): CoapResponse {
    try {
      if (request.path[0] === 'bs') {
        const consistent = request.method === 'POST' && this.account !== null;
        return consistent
          ? { code: '2.04' }
          : refusal('4.06', 'no Server instance has the short server id of a Security instance');
      }
      return this.#perform(request, Path.parse(`/${request.path.join('/')}`));
    } catch (error) {
      if (error instanceof Lwm2mError) return refusal('4.00', error.message);
      throw error;
    }
  }

  #perform(request: CoapRequest, path: Path): CoapResponse {
    switch (request.method) {
      case 'GET':
        return request.accept === ContentFormat.linkFormat ? this.#discover() : this.#read(path);
      case 'DELETE':
        this.#forget(path);
        return { code: '2.02' };
      case 'PUT':
        this.#write(request, path);
        return { code: '2.04' };
      default:
        return refusal('4.05', 'this method is not allowed while bootstrapping');
    }
  }

  #discover(): CoapResponse {
    const instances = new Set([ACCOUNT, ...[...this.#values.values()].map(({ path }) => path.cut(2))].map(String));
    const links: Link[] = [
      { uri: '/', attributes: { lwm2m: this.#options.lwm2m } },
      ...[...instances].map((uri) => {
        const ssid = this.#values.get(uri.startsWith('/0/') ? `${uri}/10` : `${uri}/0`)?.value.value;
        return {
          uri,
          attributes: /^\/[01]\//.test(uri) && ssid !== undefined ? { ssid: String(ssid) } : NO_ATTRIBUTES,
        };
      }),
    ];
    return { code: '2.05', contentFormat: ContentFormat.linkFormat, payload: Buffer.from(formatLinks(links)) };
  }

  /** Core 1.2 §6.1.7.6: Server and Access Control only. */
  #read(path: Path): CoapResponse {
    if (path.objectId !== 1 && path.objectId !== 2)
      return refusal('4.05', `${path} can't be read while bootstrapping; only objects 1 and 2 can`);
    const values = this.#below(path);
    if (values.length === 0) return refusal('4.04', `${path} does not exist`);
    const contentFormat = ContentFormat.tlv;
    return { code: '2.05', contentFormat, payload: encode({ contentFormat, path, values }) };
  }

  /** Replaces the values at and below the path. */
  #write({ contentFormat, payload }: CoapRequest, path: Path): void {
    const { model, clock } = this.#options;
    const now = clock.now() / 1000;
    const { readings } = decode({ contentFormat: contentFormat ?? ContentFormat.tlv, payload, path, model, now });
    this.#forget(path);
    for (const reading of readings) this.#values.set(String(reading.path), { path: reading.path, value: reading });
  }

  #forget(path: Path): void {
    for (const { path: known } of this.#below(path)) this.#values.delete(String(known));
  }

  #below(path: Path): { readonly path: Path; readonly value: TypedValue }[] {
    return [...this.#values.values()].filter((value) => path.contains(value.path));
  }
}

function refusal(code: string, why: string): CoapResponse {
  return { code, payload: Buffer.from(why) };
}

function nothing(): void {}
