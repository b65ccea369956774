import type { OutgoingRequest } from '../../coap/index.ts';
import type { Path } from '../path.ts';

/**
 * A content format and the kind of request that uses it: `GET resource 11542`. A device can refuse a format for a single
 * resource and accept it for an instance, or refuse it as Accept and take it in a Write.
 */
export type FormatUse = string;

/** The maximum of remembered uses per device. The server itself chooses among fewer; a caller can name any format. */
const MOST_REMEMBERED = 32;

/** `format` null: no Accept option. */
export function formatUse(method: OutgoingRequest['method'], path: Path | null, format: number | null): FormatUse {
  const target = path === null ? 'several' : path.resourceId === null ? 'instance' : 'resource';
  return `${method} ${target} ${format ?? '-'}`;
}

/**
 * Remembers the uses that the device refused before it accepted another one. Until its registration ends, they are tried
 * last. A use that it accepts is no longer refused. Beyond 32 uses, none is added.
 */
export function rememberRefused(
  device: { refusedFormats: Set<FormatUse> | null },
  refused: readonly FormatUse[],
  accepted: FormatUse,
): void {
  device.refusedFormats?.delete(accepted);
  for (const use of refused) {
    const known = (device.refusedFormats ??= new Set());
    if (known.size < MOST_REMEMBERED) known.add(use);
  }
}

/** The same items, those with a refused use last; otherwise in their order. */
export function refusedLast<Item extends { readonly use: FormatUse }>(
  items: readonly Item[],
  refused: ReadonlySet<FormatUse> | null,
): readonly Item[] {
  if (refused === null) return items;
  const isRefused = ({ use }: Item): boolean => refused.has(use);
  return [...items.filter((item) => !isRefused(item)), ...items.filter(isRefused)];
}
