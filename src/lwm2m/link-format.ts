import { Lwm2mError } from './error.ts';

/** One link of an RFC 6690 document. An attribute without a value is null. */
export interface Link {
  readonly uri: string;
  readonly attributes: Readonly<Record<string, string | null>>;
}

/** RFC 3986 §3.3 path-absolute, the only target that LwM2M uses (Core 1.2 §6.4.1); no query, no fragment. */
const TARGET = /<(\/(?:(?!\/)[\w.~!$&'()*+,;=:@/-]*(?:%[0-9a-fA-F]{2}[\w.~!$&'()*+,;=:@/-]*)*))>/y;
/** RFC 6690 §2: parmname, then a quoted-string or a ptoken. */
const ATTRIBUTE =
  /[ \t\r\n]*;[ \t\r\n]*([\w!#$&+.^`|~-]+\*?)(?:=(?:"([^"\\]*(?:\\[^][^"\\]*)*)"|(\d+(?: +\d+)+|[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]+)))?(?!=)/y;
/** RFC 6690 allows no blank here, but the examples of Core 1.2 contain one. */
const SEPARATOR = /[ \t\r\n]*,[ \t\r\n]*(?=<)/y;
/**
 * What some devices send after the last link: a comma, white space, the NUL of a C string. No white space can match in
 * two places, so the time is linear in a text that a device chooses.
 */
const END = /[ \t\r\n]*(?:[,\0][ \t\r\n\0]*)?$/y;
/** Attributes whose value is a list, separated by blanks (RFC 6690 §3.1 and §3.2, RFC 7252 §7.2.1). */
const LISTS: ReadonlySet<string> = new Set(['ct', 'rt', 'if']);
/** LwM2M 1.0 clients put their version before the links of a Bootstrap-Discover answer (TS 1.0 §5.2.7.3). */
const LEADING_VERSION = /^lwm2m="?(\d+\.\d+)"?(?:,[ ]*(?=<)|$)/;
const QUOTED_PAIR = /\\([^])/g;
const TOKEN = /^[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]+$/;

/**
 * Parses a link-format document (RFC 6690). An empty document has no links. All values of a repeated `ct`, `rt` or `if`
 * count, and the first value of another repeated attribute. Accepts what devices send where RFC 6690 is stricter and the
 * meaning is clear: blanks around separators, lists of numbers without quotes, a comma or NUL at the end. Throws
 * INVALID_PAYLOAD with the offset in characters.
 */
export function parseLinks(text: string): readonly Link[] {
  const version = LEADING_VERSION.exec(text);
  const links: Link[] = version?.[1] === undefined ? [] : [{ uri: '/', attributes: { lwm2m: version[1] } }];
  let position = version?.[0].length ?? 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(text) ?? undefined;
    position += match?.[0].length ?? 0;
    return match;
  };
  if (position === text.length) return links;
  for (;;) {
    const target = take(TARGET);
    if (target?.[1] === undefined) throw malformedLink(text, position);
    const attributes = new Map<string, string | null>();
    for (let match = take(ATTRIBUTE); match !== undefined; match = take(ATTRIBUTE)) {
      const [, name = '', quoted, token] = match;
      const value = quoted?.replace(QUOTED_PAIR, '$1') ?? token ?? null;
      const before = attributes.get(name);
      if (before === undefined) attributes.set(name, value);
      else if (LISTS.has(name) && before !== null && value !== null) attributes.set(name, `${before} ${value}`);
    }
    links.push({ uri: target[1], attributes: Object.fromEntries(attributes) });
    if (take(END) !== undefined) return links;
    if (take(SEPARATOR) === undefined) throw malformedLink(text, position);
  }
}

function malformedLink(text: string, offset: number): Lwm2mError {
  const found = offset < text.length ? JSON.stringify(text.slice(offset, offset + 20)) : 'the end';
  return new Lwm2mError('INVALID_PAYLOAD', `invalid link format at ${found}`, { offset });
}

/** Writes links in the form of RFC 6690: without blanks, and with quotes only where the value is not a token. */
export function formatLinks(links: readonly Link[]): string {
  return links
    .map(({ uri, attributes }) => {
      const written = Object.entries(attributes).map(([name, value]) => `;${formatAttribute(name, value)}`);
      return `<${uri}>${written.join('')}`;
    })
    .join(',');
}

function formatAttribute(name: string, value: string | null): string {
  if (value === null) return name;
  return TOKEN.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
}
