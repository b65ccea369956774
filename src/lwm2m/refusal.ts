import { codes, type Code, type OutgoingResponse } from '../coap/index.ts';

/** The error codes that the LwM2M server sends to devices. */
export type RefusalCode = '4.00' | '4.03' | '4.04' | '4.05' | '4.09' | '4.12' | '4.15' | '4.29' | '5.00' | '5.03';

const REFUSALS: Readonly<Record<RefusalCode, Code>> = {
  '4.00': codes.badRequest,
  '4.03': codes.forbidden,
  '4.04': codes.notFound,
  '4.05': codes.methodNotAllowed,
  '4.09': codes.conflict,
  '4.12': codes.preconditionFailed,
  '4.15': codes.unsupportedContentFormat,
  '4.29': codes.tooManyRequests,
  '5.00': codes.internalServerError,
  '5.03': codes.serviceUnavailable,
};

/** An error response with the reason as diagnostic payload (RFC 7252 §5.5.2). */
export function refusal(code: RefusalCode, message: string): OutgoingResponse {
  return { code: REFUSALS[code], payload: new TextEncoder().encode(message) };
}
