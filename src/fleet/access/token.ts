import { createHash, randomBytes } from 'node:crypto';

/** Marks a Treeline token, for people and for scanners that look for leaked tokens. */
const PREFIX = 'tl_';

/** A new token of 256 random bits: `tl_` and 43 characters of base64url. Shown once, kept nowhere. */
export function makeToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * What is kept of a token: its SHA-256 in hex. A random token needs neither salt nor a slow hash, and an index can find
 * it: what a look-up's time tells of the hash tells nothing of the token.
 */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
