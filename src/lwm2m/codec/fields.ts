import { describe, malformed, numberOf } from './item.ts';
import type { Item } from './item.ts';

export type Fields<Label extends string> = Partial<Record<Label, Item>>;

/**
 * The fields of a record that have one of the labels; others are passed over. Throws INVALID_PAYLOAD for what is no
 * map, for a field given twice, and for a label that must be understood (RFC 8428 §4.4: it ends in `_`).
 */
export function readFields<Label extends string>(
  record: Item,
  labels: readonly Label[],
  labelOf: (key: Item) => string,
): Fields<Label> {
  if (record.kind !== 'map') throw malformed(`a record is a map, not ${describe(record)}`, record.offset);
  const fields: Fields<Label> = {};
  for (const [key, value] of record.entries) {
    const name = labelOf(key);
    if (name.endsWith('_')) throw malformed(`the field ${name} is not understood`, key.offset);
    const label = labels.find((known) => known === name);
    if (label === undefined) continue;
    if (fields[label] !== undefined) throw malformed(`the field ${label} is given twice`, key.offset);
    fields[label] = value;
  }
  return fields;
}

/** The key of a JSON object. */
export function textLabel(key: Item): string {
  if (key.kind === 'text') return key.value;
  throw malformed(`a label that is ${describe(key)}`, key.offset);
}

export function textField(item: Item, label: string): string {
  if (item.kind !== 'text') throw malformed(`${label} holds ${describe(item)}`, item.offset);
  return item.value;
}

export function secondsField(item: Item, label: string): number {
  const seconds = numberOf(item);
  if (seconds === undefined || !Number.isFinite(seconds)) {
    throw malformed(`${label} holds ${describe(item)}`, item.offset);
  }
  return seconds;
}
