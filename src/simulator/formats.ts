import { ContentFormat, currentContentFormat, encode, Lwm2mError } from '../lwm2m/index.ts';
import type { Lwm2mVersion, Path } from '../lwm2m/index.ts';
import type { CoapResponse } from './coap-message.ts';
import { notAcceptable } from './refusal.ts';
import type { PlacedValue } from './resource-tree.ts';

/**
 * The content formats of a client of each version (Core §7.4): 1.0 has LwM2M JSON, 1.1 SenML and CBOR, 1.2 LwM2M CBOR
 * and ETCH.
 */
const SUPPORTED: Readonly<Record<Lwm2mVersion, readonly number[]>> = {
  '1.0': [ContentFormat.text, ContentFormat.opaque, ContentFormat.tlv, ContentFormat.lwm2mJson],
  '1.1': [
    ContentFormat.text,
    ContentFormat.opaque,
    ContentFormat.tlv,
    ContentFormat.cbor,
    ContentFormat.senmlJson,
    ContentFormat.senmlCbor,
  ],
  '1.2': [
    ContentFormat.text,
    ContentFormat.opaque,
    ContentFormat.tlv,
    ContentFormat.cbor,
    ContentFormat.senmlJson,
    ContentFormat.senmlCbor,
    ContentFormat.senmlEtchJson,
    ContentFormat.senmlEtchCbor,
    ContentFormat.lwm2mCbor,
  ],
};

/** The optional formats in the `ct` attribute of the root link (Core 1.2 §6.2.1). */
export const ADVERTISED: Readonly<Record<Lwm2mVersion, readonly number[]>> = {
  '1.0': [],
  '1.1': [ContentFormat.cbor, ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.tlv],
  '1.2': [
    ContentFormat.cbor,
    ContentFormat.senmlJson,
    ContentFormat.senmlCbor,
    ContentFormat.tlv,
    ContentFormat.lwm2mCbor,
  ],
};

export function isSupported(lwm2m: Lwm2mVersion, contentFormat: number): boolean {
  return SUPPORTED[lwm2m].includes(currentContentFormat(contentFormat));
}

/** Whether the payload contains the full path of every value, as the composite operations require. */
export function isComposite(contentFormat: number): boolean {
  const composite: readonly number[] = [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mCbor];
  return composite.includes(contentFormat);
}

export interface Content {
  readonly lwm2m: Lwm2mVersion;
  /** The requested content format; null: the device chooses. */
  readonly accept: number | null;
  /** The path that was read; `/` for a composite. */
  readonly path: Path;
  readonly values: readonly PlacedValue[];
  readonly empty?: readonly Path[];
}

/**
 * Makes a 2.05 response with the values in the requested format. Refuses with 4.06 a format that the device does not
 * support or that can't encode the values.
 */
export function content({ lwm2m, accept, path, values, empty = [] }: Content): CoapResponse {
  const contentFormat = accept === null ? preferred(lwm2m, path, values) : currentContentFormat(accept);
  if (!isSupported(lwm2m, contentFormat)) throw notAcceptable(`content format ${contentFormat} is not supported`);
  // An object without instances in a format that can't represent it: an empty payload is allowed.
  const nothing =
    values.length === 0 && contentFormat !== ContentFormat.tlv && contentFormat !== ContentFormat.lwm2mCbor;
  const saysEmpty = contentFormat === ContentFormat.tlv || contentFormat === ContentFormat.lwm2mCbor;
  try {
    const payload = nothing ? new Uint8Array() : encode({ contentFormat, path, values, empty: saysEmpty ? empty : [] });
    return { code: '2.05', contentFormat, payload };
  } catch (error) {
    if (error instanceof Lwm2mError) throw notAcceptable(error.message);
    throw error;
  }
}

/** Like most clients: text for a single value, otherwise TLV in 1.0 and SenML CBOR in later versions. */
function preferred(lwm2m: Lwm2mVersion, path: Path, values: readonly PlacedValue[]): number {
  const [only] = values;
  const single = values.length === 1 && only !== undefined && only.path.equals(path);
  if (single) return only.value.type === 'Opaque' ? ContentFormat.opaque : ContentFormat.text;
  return lwm2m === '1.0' ? ContentFormat.tlv : ContentFormat.senmlCbor;
}
