import type { IncomingMessage } from 'node:http';
import { LONGEST_TOKEN, type Access, type Actor } from '../fleet/index.ts';

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * The actor, or why there is none. `retryAfter` in seconds: the token was not looked up, because too many
 * authentications failed.
 */
export type Authentication =
  | { readonly actor: Actor }
  | { readonly actor: null; readonly message: string; readonly retryAfter?: number };

/**
 * Finds the actor of a token. Tokens come in the Authorization header of a request or in the connection parameters of a
 * WebSocket, never in a URL, because URLs end up in logs and browser histories.
 */
export async function authenticate(
  access: Pick<Access, 'authenticate'>,
  token: string | null,
): Promise<Authentication> {
  if (token === null) {
    return {
      actor: null,
      message:
        'A token is required: header "Authorization: Bearer <token>" or connectionParams {"token": "<token>"} over WebSocket. Tokens in the URL are ignored.',
    };
  }
  const actor = token.length <= LONGEST_TOKEN ? await access.authenticate(token) : null;
  return actor ? { actor } : { actor: null, message: 'The token is unknown or was revoked.' };
}

export function tokenOfRequest({ headers }: IncomingMessage): string | null {
  return bearer(headers.authorization);
}

/** `{ authorization: "Bearer <token>" }`, `{ Authorization: … }` or `{ token: "<token>" }`. */
export function tokenOfParameters(parameters: Readonly<Record<string, unknown>> | undefined): string | null {
  const { token, authorization, Authorization } = parameters ?? {};
  if (typeof token === 'string' && token !== '') return token;
  return bearer(authorization) ?? bearer(Authorization);
}

function bearer(header: unknown): string | null {
  return typeof header === 'string' ? (BEARER.exec(header)?.[1] ?? null) : null;
}
