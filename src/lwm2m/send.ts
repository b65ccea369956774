import type { Clock } from '../clock.ts';
import { codes, type IncomingRequest, type OutgoingResponse } from '../coap/index.ts';
import { refusal } from './refusal.ts';
import { ContentFormat, contentFormatName, currentContentFormat, decode } from './codec/index.ts';
import type { Lwm2mHandlers } from './handlers.ts';
import { versionOf } from './operation/content-format-choice.ts';
import { Path } from './path.ts';
import type { RegisteredDevice } from './registered-device.ts';
import type { DecodedPayload } from './value.ts';

const FORMATS: ReadonlySet<number> = new Set([
  ContentFormat.senmlJson,
  ContentFormat.senmlCbor,
  ContentFormat.lwm2mCbor,
]);

/**
 * Answers a Send: POST /dp (Core 1.2 §6.4.6). A Send contains no endpoint name: `device` is the one registered at the
 * peer. When one of its objects is not registered, the whole Send is refused. Rejects when a handler rejects.
 */
export async function takeSend(
  device: RegisteredDevice | undefined,
  request: IncomingRequest,
  { handlers, clock }: { readonly handlers: Lwm2mHandlers; readonly clock: Clock },
): Promise<OutgoingResponse> {
  if (request.method !== 'POST') return refusal('4.05', 'a Send must be a POST');
  if (!device) return refusal('4.04', 'no device is registered at this address');
  const { contentFormat, payload } = request;
  if (contentFormat === null) return refusal('4.00', 'the Send has no Content-Format');
  if (!FORMATS.has(currentContentFormat(contentFormat))) {
    return refusal('4.15', `${contentFormatName(contentFormat)} is not allowed in a Send`);
  }
  const { registration, model } = device;
  const receivedAt = clock.now();
  let decoded: DecodedPayload;
  try {
    decoded = decode({
      contentFormat,
      payload,
      path: Path.root,
      model,
      versionOf: (objectId) => versionOf(registration, objectId),
      rootPath: registration.rootPath,
      now: receivedAt / 1000,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await handlers.undecodable(registration, { contentFormat, bytes: payload, path: '/', reason, origin: 'SEND' });
    return refusal('4.00', reason);
  }
  const unregistered = [...decoded.readings.map(({ path }) => path), ...decoded.empty].find(
    (path) => !isRegistered(path, device),
  );
  if (unregistered) return refusal('4.04', `${unregistered}: object ${unregistered.objectId} is not registered`);
  const newest = { olderThan: null, message: request.message };
  const outcome = await handlers.readings({ registration, origin: 'SEND', scope: [], decoded, receivedAt, ...newest });
  if (!outcome) return { code: codes.changed };
  if ('refused' in outcome) return refusal('4.00', outcome.refused);
  const maxAge = Math.ceil(outcome.retryAfterMs / 1000);
  return { ...refusal('4.29', `too many readings; try again in ${maxAge} s`), maxAge };
}

/** The object list of a gateway does not contain its end devices (Gateway 1.1 §6.4). */
function isRegistered(path: Path, { registration }: RegisteredDevice): boolean {
  return path.prefix !== null || registration.objects.some(({ objectId }) => objectId === path.objectId);
}
