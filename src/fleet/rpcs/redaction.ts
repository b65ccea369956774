import { createHash } from 'node:crypto';
import { isSecretName } from '../objects/index.ts';

const REDACTED = '[redacted]';
/**
 * The most characters of a text that is kept as it is. For a longer text, such as a firmware image, its digest is kept.
 */
const LONGEST_KEPT = 1024;
const DEEPEST_KEPT = 16;

/**
 * Copies JSON parameters without their secrets, so that the copy can be stored and shown. It replaces values under
 * secret names, and what an entry `{ path, value }` would write to a secret path (`isSecret` decides), by `[redacted]`.
 * It replaces a text of more than 1,024 characters by its length and SHA-256.
 */
export function redact(params: unknown, isSecret: (path: string, value: unknown) => boolean): unknown {
  const copy = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return value.length > LONGEST_KEPT ? digest(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEEPEST_KEPT) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    const { path, value: written } = value as { path?: unknown; value?: unknown }; // it may have neither
    const secret = typeof path === 'string' && isSecret(path, written);
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        isSecretName(name) || (secret && name !== 'path') ? REDACTED : copy(item, depth + 1),
      ]),
    );
  };
  return copy(params, 0);
}

function digest(text: string): string {
  return `[${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex')}]`;
}
