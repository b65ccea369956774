import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Lwm2mError } from '../error.ts';

/** An element of an XML document, and the line (from 1) that it starts in. */
export interface XmlElement {
  readonly name: string;
  readonly line: number;
  /** Its own text, without the blanks around it. */
  readonly text: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const MAX_NESTING = 16;
const MAX_MESSAGE = 300;
const ATTRIBUTE = '@';
const TEXT = '#text';
// Declared as the object type Symbol; it is a symbol.
const POSITION = XMLParser.getMetaDataSymbol() as symbol;

/** What the parser makes of an element: text, attributes, lists of children by name, and where it starts. */
interface Parsed {
  readonly [name: string]: unknown;
  readonly [position: symbol]: { readonly startIndex?: number } | undefined;
}

/**
 * Parses a small XML document into its root element. Throws INVALID_ARGUMENT with the line. Document types are refused,
 * so entities can't be declared; only the five of XML and numeric ones are read.
 */
export function parseXml(xml: string): XmlElement {
  // The parser counts in text with these line ends.
  const text = xml.replace(/\r\n?/g, '\n');
  const lines = new Lines(text);
  const docType = text.search(/<!DOCTYPE/i);
  if (docType !== -1) throw invalid(lines.at(docType), 'a document type is not allowed');
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw invalid(valid.err.line, valid.err.msg);
  const [root] = childrenOf(parsed(text), lines);
  if (root === undefined) throw invalid(1, 'there is no element');
  return root;
}

function parsed(text: string): Parsed {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: ATTRIBUTE,
    textNodeName: TEXT,
    ignoreDeclaration: true,
    ignorePiTags: true,
    alwaysCreateTextNode: true,
    captureMetaData: true,
    parseTagValue: false,
    processEntities: false,
    maxNestedTags: MAX_NESTING,
    isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
  });
  try {
    // With these options the parser gives objects of this shape.
    return parser.parse(text) as Parsed;
  } catch (cause) {
    throw invalid(1, cause instanceof Error ? cause.message : 'not XML', cause);
  }
}

/** In the order of their names' first appearance, as the parser keeps them. */
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
    text: typeof text === 'string' ? characters(text) : '',
    attributes: new Map(attributes),
    children: childrenOf(node, lines),
  };
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The five entities of XML and character references, once: what they give is never read again. */
function characters(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name)] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Finds lines by bisection: counting them anew for every element would be quadratic. */
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
  // The parser quotes what it doesn't understand, however long.
  return new Lwm2mError('INVALID_ARGUMENT', `line ${line}: ${message.slice(0, MAX_MESSAGE)}`, { cause });
}
