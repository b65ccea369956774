import { codes, type IncomingRequest, type OutgoingResponse } from '../../coap/index.ts';
import { refusal } from '../refusal.ts';
import { ContentFormat, contentFormatName } from '../codec/index.ts';
import type { Lwm2mHandlers } from '../handlers.ts';
import { parseRegisterQuery } from './register-query.ts';
import type { Lwm2mEndpoint, RegisteredDevice } from '../registered-device.ts';
import type { Outcome, RegistrationLifecycle } from './lifecycle.ts';

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
    // Transport 1.2 §6.4.3: only notifications and Execute may be NON. CoAP over TCP has no message types.
    if (!request.confirmable && isDatagram(reachedBy)) return refusal('4.00', 'a Register must be confirmable');
    const parsed = parseRegisterQuery(request.query);
    if (!parsed.ok) return refusal(parsed.code, parsed.message);
    const wrongBody = checkBody(request);
    if (wrongBody) return wrongBody;
    if (request.payload.length === 0 && parsed.parameters.profileIds.length === 0) {
      return refusal('4.00', 'the list of objects is missing');
    }
    const outcome = await this.#registrations.register(parsed.parameters, request, reachedBy);
    return this.#answered(outcome, (device) => ({
      code: codes.created,
      locationPath: ['rd', device.registration.id],
      onSent: () => {
        device.opened();
        if (!device.ended) this.#handlers.ready(device.registration, 'register');
      },
    }));
  }

  async #update(id: string, request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const wrongBody = checkBody(request);
    if (wrongBody) return wrongBody;
    const outcome = await this.#registrations.update(id, request, reachedBy);
    return this.#answered(outcome, (device) => ({
      code: codes.changed,
      onSent: () => {
        if (!device.ended) this.#handlers.ready(device.registration, 'update');
      },
    }));
  }

  async #deregister(id: string, request: IncomingRequest): Promise<OutgoingResponse> {
    const outcome = await this.#registrations.deregister(id, request.peer);
    return this.#answered(outcome, () => ({ code: codes.deleted }));
  }

  #answered(outcome: Outcome, success: (device: RegisteredDevice) => OutgoingResponse): OutgoingResponse {
    return outcome.ok ? success(outcome.device) : refusal(outcome.code, outcome.message);
  }
}

/** The payload must be link format. A payload without a Content-Format is taken for link format. */
function checkBody({ contentFormat, payload }: IncomingRequest): OutgoingResponse | null {
  if (payload.length === 0 || contentFormat === null || contentFormat === ContentFormat.linkFormat) return null;
  return refusal(
    '4.15',
    `the list of objects must be application/link-format, not ${contentFormatName(contentFormat)}`,
  );
}

function isDatagram({ transport }: Lwm2mEndpoint): boolean {
  return transport === 'udp' || transport === 'dtls';
}
