/** CoAP Content-Format numbers of LwM2M payloads (Core 1.2 §7.4, IANA CoRE parameters). */
export const ContentFormat = {
  text: 0,
  linkFormat: 40,
  opaque: 42,
  cbor: 60,
  senmlJson: 110,
  senmlCbor: 112,
  senmlEtchJson: 320,
  senmlEtchCbor: 322,
  tlv: 11542,
  lwm2mJson: 11543,
  lwm2mCbor: 11544,
} as const;

/** Numbers from before the IANA registration: the server accepts them but never sends them. */
const OLD_NUMBERS: ReadonlyMap<number, number> = new Map([
  [1541, ContentFormat.text],
  [1542, ContentFormat.tlv],
  [1543, ContentFormat.lwm2mJson],
]);

/** Maps an old number to the registered one; returns other numbers unchanged. */
export function currentContentFormat(contentFormat: number): number {
  return OLD_NUMBERS.get(contentFormat) ?? contentFormat;
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [ContentFormat.text, 'text/plain'],
  [ContentFormat.linkFormat, 'application/link-format'],
  [ContentFormat.opaque, 'application/octet-stream'],
  [ContentFormat.cbor, 'application/cbor'],
  [ContentFormat.senmlJson, 'application/senml+json'],
  [ContentFormat.senmlCbor, 'application/senml+cbor'],
  [ContentFormat.senmlEtchJson, 'application/senml-etch+json'],
  [ContentFormat.senmlEtchCbor, 'application/senml-etch+cbor'],
  [ContentFormat.tlv, 'application/vnd.oma.lwm2m+tlv'],
  [ContentFormat.lwm2mJson, 'application/vnd.oma.lwm2m+json'],
  [ContentFormat.lwm2mCbor, 'application/vnd.oma.lwm2m+cbor'],
]);

/** The media type for messages: `application/senml+cbor`; for an unknown number `content format 9`. */
export function contentFormatName(contentFormat: number): string {
  return NAMES.get(currentContentFormat(contentFormat)) ?? `content format ${contentFormat}`;
}

const TEXTUAL: ReadonlySet<number> = new Set([
  ContentFormat.text,
  ContentFormat.linkFormat,
  ContentFormat.senmlJson,
  ContentFormat.senmlEtchJson,
  ContentFormat.lwm2mJson,
]);

/** True when payloads of the format are UTF-8 text. */
export function isTextual(contentFormat: number): boolean {
  return TEXTUAL.has(currentContentFormat(contentFormat));
}
