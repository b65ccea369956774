import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Lwm2mError } from '../error.ts';

/** An element of an XML document, with the line where it starts (from 1). */
export interface XmlElement {
  readonly name: string;
  readonly line: number;
  /** The text of the element without leading and trailing blanks. */
  readonly text: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const MAX_NESTING = 16;
const MAX_MESSAGE = 300;
const ATTRIBUTE = '@';
const TEXT = '#text';
// The library declares the type Symbol, but the value is a primitive symbol.
const POSITION = XMLParser.getMetaDataSymbol() as symbol;

/** An element as the parser returns it: text, attributes, lists of children by name, and the start position. */
interface Parsed {
  readonly [name: string]: unknown;
  readonly [position: symbol]: { readonly startIndex?: number } | undefined;
}

/**
 * Parses a small XML document and returns its root element. Throws INVALID_ARGUMENT with the line. It refuses document
 * types, so a file can't declare entities; it reads the five entities of XML and numeric character references. Names of
 * elements and attributes lose their namespace prefix.
 */
export function parseXml(xml: string): XmlElement {
  // The positions of the parser refer to text with these line ends.
  const text = xml.replace(/\r\n?/g, '\n');
  const lines = new Lines(text);
  const docType = text.search(/<!DOCTYPE/i);
  if (docType !== -1) throw invalid(lines.at(docType), 'a document type is not allowed');
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw invalid(valid.err.line, valid.err.msg);
  const [root] = childrenOf(parsed(text), lines);
  if (root === undefined) throw invalid(1, 'the document has no element');
  return root;
}

function parsed(text: string): Parsed {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: ATTRIBUTE,
    textNodeName: TEXT,
    ignoreDeclaration: true,
    ignorePiTags: true,
    removeNSPrefix: true,
    alwaysCreateTextNode: true,
    captureMetaData: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    maxNestedTags: MAX_NESTING,
    isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
  });
  try {
    // With these options the parser returns objects of this shape.
    return parser.parse(text) as Parsed;
  } catch (cause) {
    throw invalid(1, cause instanceof Error ? cause.message : 'not XML', cause);
  }
}

/** Returns the child elements, grouped by name in the order of first appearance. */
function childrenOf(node: Parsed, lines: Lines): XmlElement[] {
  return Object.entries(node).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((child: Parsed) => elementOf(name, child, lines)) : [],
  );
}

function elementOf(name: string, node: Parsed, lines: Lines): XmlElement {
  const attributes = Object.entries(node).flatMap(([key, value]) =>
    key.startsWith(ATTRIBUTE) && typeof value === 'string' ? [[key.slice(1), characters(value)] as const] : [],
  );
  const text = node[TEXT];
  return {
    name,
    line: lines.at(node[POSITION]?.startIndex ?? 0),
    text: typeof text === 'string' ? characters(text).trim() : '',
    attributes: new Map(attributes),
    children: childrenOf(node, lines),
  };
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Replaces the five entities of XML and character references once; the result is not parsed again. */
function characters(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name)] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Finds the line of a position by bisection, because counting for every element would take quadratic time. */
class Lines {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
    this.#starts = starts;
  }

  at(index: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

export function invalid(line: number, message: string, cause?: unknown): Lwm2mError {
  // The parser quotes invalid text of any length.
  return new Lwm2mError('INVALID_ARGUMENT', `line ${line}: ${message.slice(0, MAX_MESSAGE)}`, { cause });
}
