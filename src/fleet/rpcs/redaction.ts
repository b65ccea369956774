import { createHash } from 'node:crypto';
import { isSecretName } from '../objects/index.ts';

const REDACTED = '[redacted]';
/** Longer text is kept by its digest: audit asks what was sent, not for the firmware image itself. */
const LONGEST_KEPT = 1024;
const DEEPEST_KEPT = 16;

/**
 * A copy of JSON parameters that is safe to keep and to show: values under secret names are redacted, and so is what an
 * entry `{ path, value }` would write to a secret place (`isSecret` decides); long text is replaced by its length and
 * SHA-256.
 */
export function redact(params: unknown, isSecret: (path: string, value: unknown) => boolean): unknown {
  const copy = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return value.length > LONGEST_KEPT ? digest(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEEPEST_KEPT) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    const { path, value: written } = value as { path?: unknown; value?: unknown }; // any object may have them
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
