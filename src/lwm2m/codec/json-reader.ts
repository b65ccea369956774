import { exactNumber, malformed, MAX_DEPTH } from './item.ts';
import type { Item } from './item.ts';

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Characters of a string up to its end or the next escape: all except control characters, `"` and `\`. */
const PLAIN = /[ !#-[\]-\uffff]*/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Reads a text that is one JSON value (RFC 8259). JSON.parse is not suitable: it rounds integers beyond 2^53, silently
 * keeps the last of two equal keys, and has no depth limit. Throws INVALID_PAYLOAD; offsets count characters.
 */
export function readJson(text: string): Item {
  const reader = new JsonReader(text);
  const item = reader.item(0);
  reader.end();
  return item;
}

/** Reads a text that is one array, item by item, so that a long array is never completely in memory. */
export function* readJsonArray(text: string): Generator<Item> {
  const reader = new JsonReader(text);
  if (reader.openArray()) {
    do yield reader.item(1);
    while (reader.hasMore());
  }
  reader.end();
}

class JsonReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    this.#match(BLANKS);
    if (this.#position < this.#text.length) throw malformed('text follows the JSON value', this.#position);
  }

  /** Reads `[`; true when the array has items. */
  openArray(): boolean {
    this.#expect('[');
    return !this.#takeAfterBlanks(']');
  }

  /** Reads `,` or `]`; true when another item follows. */
  hasMore(): boolean {
    if (this.#takeAfterBlanks(',')) return true;
    this.#expect(']');
    return false;
  }

  item(depth: number): Item {
    this.#match(BLANKS);
    const offset = this.#position;
    if (depth > MAX_DEPTH) throw malformed(`the nesting is deeper than ${MAX_DEPTH}`, offset);
    const first = this.#text[offset];
    if (first === '"') return { kind: 'text', value: this.#string(), offset };
    if (first === '[') return { kind: 'array', items: this.#array(depth), offset };
    if (first === '{') return { kind: 'map', entries: this.#object(depth), offset };
    if (this.#take('true')) return { kind: 'boolean', value: true, offset };
    if (this.#take('false')) return { kind: 'boolean', value: false, offset };
    if (this.#take('null')) return { kind: 'null', offset };
    const number = exactNumber(this.#match(NUMBER)?.[0] ?? '', offset);
    if (number === undefined)
      throw malformed(
        first === undefined ? 'the text ends where a value must follow' : 'the text is not valid JSON',
        offset,
      );
    return number;
  }

  #array(depth: number): Item[] {
    const items: Item[] = [];
    if (!this.openArray()) return items;
    do items.push(this.item(depth + 1));
    while (this.hasMore());
    return items;
  }

  #object(depth: number): (readonly [Item, Item])[] {
    const entries: (readonly [Item, Item])[] = [];
    this.#position += 1;
    if (this.#takeAfterBlanks('}')) return entries;
    do {
      this.#match(BLANKS);
      const offset = this.#position;
      if (this.#text[offset] !== '"') throw malformed('a key is not a string', offset);
      const key: Item = { kind: 'text', value: this.#string(), offset };
      this.#expect(':');
      entries.push([key, this.item(depth + 1)]);
    } while (this.#takeAfterBlanks(','));
    this.#expect('}');
    return entries;
  }

  #string(): string {
    const offset = this.#position;
    const parts: string[] = [];
    this.#position += 1;
    for (;;) {
      parts.push(this.#match(PLAIN)?.[0] ?? '');
      if (this.#take('"')) break;
      const escape = this.#match(ESCAPE);
      if (escape === undefined) throw malformed('a string contains an invalid character or escape', this.#position);
      const [, code, short = ''] = escape;
      parts.push(code === undefined ? (ESCAPED[short] ?? '') : String.fromCharCode(Number.parseInt(code, 16)));
    }
    const value = parts.join('');
    if (LONE_SURROGATE.test(value)) throw malformed('a string contains a lone surrogate', offset);
    return value;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#position = pattern.lastIndex;
    return match;
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#position)) return false;
    this.#position += word.length;
    return true;
  }

  #takeAfterBlanks(word: string): boolean {
    this.#match(BLANKS);
    return this.#take(word);
  }

  #expect(word: string): void {
    if (!this.#takeAfterBlanks(word)) throw malformed(`${word} is missing`, this.#position);
  }
}
