import { createHash, randomBytes } from 'node:crypto';

/** The first characters of each Treeline token. People and scanners for leaked tokens can recognize it by them. */
const PREFIX = 'tl_';

/** Makes a token of 256 random bits: `tl_` and 43 characters of base64url. Show it once, and store only its hash. */
export function makeToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * Returns the SHA-256 of a token in hex, which is what the database stores. A random token needs no salt and no slow
 * hash. The database can look the hash up in an index: the duration can reveal something about the hash, but nothing
 * about the token.
 */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
