import { decodeBase64Url } from './base64.ts';
import { textField, textLabel } from './fields.ts';
import { describe, malformed } from './item.ts';
import type { SenmlDialect } from './senml.ts';

/** RFC 8428 §5: labels are the field names, data values are base64url without padding. */
export const SENML_JSON: SenmlDialect = {
  label: textLabel,
  data: (item) => ({
    kind: 'bytes',
    value: decodeBase64Url(textField(item, 'vd'), item.offset),
    offset: item.offset,
  }),
};

/** The integer labels of RFC 8428 §6, Table 4. */
const LABELS: ReadonlyMap<number | bigint, string> = new Map([
  [-1, 'bver'],
  [-2, 'bn'],
  [-3, 'bt'],
  [-4, 'bu'],
  [-5, 'bv'],
  [-6, 'bs'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
]);

/** Core 1.2 §7.4.5: `vlo` is the only text label. */
const LINK_LABEL = 'vlo';

/** RFC 8428 §6: labels are small integers, data values are byte strings. */
export const SENML_CBOR: SenmlDialect = {
  label(key) {
    if (key.kind === 'integer') return LABELS.get(key.value) ?? String(key.value);
    if (key.kind !== 'text') throw malformed(`a label must be an integer or a text, not ${describe(key)}`, key.offset);
    // The field names of JSON are unknown labels in CBOR.
    return key.value === LINK_LABEL || key.value.endsWith('_') ? key.value : '';
  },
  data(item) {
    if (item.kind === 'bytes') return item;
    throw malformed(`vd must not be ${describe(item)}`, item.offset);
  },
};
