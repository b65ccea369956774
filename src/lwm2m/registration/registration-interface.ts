import { codes, type IncomingRequest, type OutgoingResponse } from '../../coap/index.ts';
import { refusal } from '../refusal.ts';
import { ContentFormat, contentFormatName } from '../codec/index.ts';
import type { Lwm2mHandlers } from '../handlers.ts';
import { parseRegisterQuery } from './register-query.ts';
import type { Lwm2mEndpoint } from '../registered-device.ts';
import type { Refused, RegistrationLifecycle } from './lifecycle.ts';

/** Answers the requests of the registration interface (Core 1.2 §6.2, Transport 1.2 §6.4.3): /rd and /rd/{id}. */
export class RegistrationInterface {
  readonly #registrations: RegistrationLifecycle;
  readonly #handlers: Lwm2mHandlers;

  constructor(registrations: RegistrationLifecycle, handlers: Lwm2mHandlers) {
    this.#registrations = registrations;
    this.#handlers = handlers;
  }

  /** Answers a request whose path begins with `rd`. Rejects when a handler rejects. */
  async answer(request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const [, id, ...more] = request.path;
    if (more.length > 0 || id === '') return refusal('4.04', 'a registration has the path /rd/{id}');
    if (id === undefined) {
      if (request.method !== 'POST') return refusal('4.05', 'a Register must be a POST');
      return this.#register(request, reachedBy);
    }
    if (request.method === 'POST') return this.#update(id, request, reachedBy);
    if (request.method === 'DELETE') return this.#deregister(id, request);
    return refusal('4.05', 'an Update must be a POST, a De-register a DELETE');
  }

  async #register(request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const refuse = (refused: Omit<Refused, 'ok'>): OutgoingResponse =>
      this.#refuse(request, endpointIn(request.query), refused);
    // Transport 1.2 §6.4.3: only notifications and Execute may be NON. CoAP over TCP has no message types.
    if (!request.confirmable && isDatagram(reachedBy)) return refuse(malformed('a Register must be confirmable'));
    const parsed = parseRegisterQuery(request.query);
    if (!parsed.ok) return refuse({ ...parsed, cause: parsed.code === '4.12' ? 'UNSUPPORTED' : 'MALFORMED' });
    const wrongBody = checkBody(request);
    if (wrongBody) return refuse(wrongBody);
    if (request.payload.length === 0 && parsed.parameters.profileIds.length === 0) {
      return refuse(malformed('the list of objects is missing'));
    }
    const outcome = await this.#registrations.register(parsed.parameters, request, reachedBy);
    if (!outcome.ok) return refuse(outcome);
    const { device } = outcome;
    return {
      code: codes.created,
      locationPath: ['rd', device.registration.id],
      onSent: () => {
        device.opened();
        if (!device.ended) this.#handlers.ready(device.registration, 'register');
      },
    };
  }

  async #update(id: string, request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const endpoint = this.#registrations.endpointAt(id);
    const wrongBody = checkBody(request);
    if (wrongBody) return this.#refuse(request, endpoint, wrongBody);
    const outcome = await this.#registrations.update(id, request, reachedBy);
    // An Update of a registration that has ended is normal: the device registers again. It is not recorded as a problem.
    if (!outcome.ok)
      return outcome.code === '4.04'
        ? refusal(outcome.code, outcome.message)
        : this.#refuse(request, endpoint, outcome);
    const { device } = outcome;
    return {
      code: codes.changed,
      onSent: () => {
        if (!device.ended) this.#handlers.ready(device.registration, 'update');
      },
    };
  }

  async #deregister(id: string, request: IncomingRequest): Promise<OutgoingResponse> {
    const outcome = await this.#registrations.deregister(id, request.peer);
    return outcome.ok ? { code: codes.deleted } : refusal(outcome.code, outcome.message);
  }

  /** Answers a Register or an Update with an error, and tells the handlers. */
  #refuse(
    { peer }: IncomingRequest,
    endpoint: string | null,
    { code, message, cause }: Omit<Refused, 'ok'>,
  ): OutgoingResponse {
    this.#handlers.refused?.({ peer, endpoint, cause, code, reason: message });
    return refusal(code, message);
  }
}

/** The endpoint name in the query of a Register, also of a malformed one. */
function endpointIn(query: readonly string[]): string | null {
  return query.find((parameter) => parameter.startsWith('ep='))?.slice('ep='.length) || null;
}

function malformed(message: string): Omit<Refused, 'ok'> {
  return { code: '4.00', message, cause: 'MALFORMED' };
}

/** The payload must be link format. A payload without a Content-Format is taken for link format. */
function checkBody({ contentFormat, payload }: IncomingRequest): Omit<Refused, 'ok'> | null {
  if (payload.length === 0 || contentFormat === null || contentFormat === ContentFormat.linkFormat) return null;
  const message = `the list of objects must be application/link-format, not ${contentFormatName(contentFormat)}`;
  return { code: '4.15', message, cause: 'UNSUPPORTED' };
}

function isDatagram({ transport }: Lwm2mEndpoint): boolean {
  return transport === 'udp' || transport === 'dtls';
}
