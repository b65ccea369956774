import { describe, malformed, numberOf } from './item.ts';
import type { Item } from './item.ts';

export type Fields<Label extends string> = Partial<Record<Label, Item>>;

/**
 * Reads the fields of a record that have one of the labels; ignores others. Throws INVALID_PAYLOAD when the record is
 * not a map, a field appears twice, or an unknown label must be understood (RFC 8428 §4.4: it ends in `_`).
 */
export function readFields<Label extends string>(
  record: Item,
  labels: readonly Label[],
  labelOf: (key: Item) => string,
): Fields<Label> {
  if (record.kind !== 'map') throw malformed(`a record must be a map, not ${describe(record)}`, record.offset);
  const fields: Fields<Label> = {};
  for (const [key, value] of record.entries) {
    const name = labelOf(key);
    if (name.endsWith('_')) throw malformed(`the field ${name} must be understood but is unknown`, key.offset);
    const label = labels.find((known) => known === name);
    if (label === undefined) continue;
    if (fields[label] !== undefined) throw malformed(`the field ${label} appears twice`, key.offset);
    fields[label] = value;
  }
  return fields;
}

/** Reads the key of a JSON object. */
export function textLabel(key: Item): string {
  if (key.kind === 'text') return key.value;
  throw malformed(`a label must be a text, not ${describe(key)}`, key.offset);
}

export function textField(item: Item, label: string): string {
  if (item.kind !== 'text') throw malformed(`${label} must not be ${describe(item)}`, item.offset);
  return item.value;
}

export function secondsField(item: Item, label: string): number {
  const seconds = numberOf(item);
  if (seconds === undefined || !Number.isFinite(seconds)) {
    throw malformed(`${label} must not be ${describe(item)}`, item.offset);
  }
  return seconds;
}
