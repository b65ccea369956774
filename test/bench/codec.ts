/**
 * Shows that decoding takes linear time: MiB/s of valid and hostile payloads from 1 KiB to 1 MiB, for every format. It
 * also measures the cost of the object registry. `node --expose-gc --import tsx test/bench/codec.ts`.
 */
import { Buffer } from 'node:buffer';
import {
  ContentFormat,
  contentFormatName,
  decode,
  decodeLinks,
  encode,
  Lwm2mError,
  objectModel,
  Path,
  registryModel,
} from '../../src/lwm2m/index.ts';
import type { ObjectDefinition, TimedValue } from '../../src/lwm2m/index.ts';

const SIZES = [1024, 16 * 1024, 128 * 1024, 1024 * 1024];
const object: ObjectDefinition = {
  id: 9999,
  version: '1.0',
  name: 'Bench',
  urn: '',
  lwm2mVersion: '1.0',
  multiple: true,
  mandatory: false,
  resources: [
    { id: 0, name: 'Text', operations: 'R', multiple: false, mandatory: false, type: 'String', range: '', units: '' },
    {
      id: 1,
      name: 'Number',
      operations: 'R',
      multiple: false,
      mandatory: false,
      type: 'Integer',
      range: '',
      units: '',
    },
    { id: 3, name: 'Float', operations: 'R', multiple: false, mandatory: false, type: 'Float', range: '', units: '' },
    { id: 5, name: 'Bytes', operations: 'R', multiple: false, mandatory: false, type: 'Opaque', range: '', units: '' },
  ],
};
const model = objectModel([object]);

/** That many instances of three resources each. */
function instances(count: number): TimedValue[] {
  return Array.from({ length: count }, (_, id) => [
    { path: Path.of(9999, id, 0), value: { type: 'String', value: `sensor ${id}` } as const },
    { path: Path.of(9999, id, 1), value: { type: 'Integer', value: id * 1000 } as const },
    { path: Path.of(9999, id, 3), value: { type: 'Float', value: id / 10 } as const },
  ]).flat();
}

/** A valid payload of about this size. */
function honest(contentFormat: number, path: Path, size: number): Uint8Array {
  const perInstance = encode({ contentFormat, path, values: instances(1000) }).length / 1000;
  return encode({ contentFormat, path, values: instances(Math.min(65_000, Math.ceil(size / perInstance))) });
}

interface Subject {
  readonly name: string;
  readonly contentFormat: number;
  readonly path: string;
  payload(size: number): Uint8Array;
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf8'));
const bytes = (size: number, byte: number, head: readonly number[] = []): Uint8Array => {
  const filled = new Uint8Array(size).fill(byte);
  filled.set(head);
  return filled;
};

const structured = [
  ContentFormat.tlv,
  ContentFormat.senmlJson,
  ContentFormat.senmlCbor,
  ContentFormat.lwm2mJson,
  ContentFormat.lwm2mCbor,
];
const subjects: Subject[] = [
  ...structured.map((contentFormat) => ({
    name: 'instances of an object',
    contentFormat,
    path: '/9999',
    payload: (size: number) => honest(contentFormat, Path.of(9999), size),
  })),
  { name: 'one string', contentFormat: 0, path: '/9999/0/0', payload: (size) => bytes(size, 0x61) },
  { name: 'one base64', contentFormat: 0, path: '/9999/0/5', payload: (size) => bytes(size, 0x41) },
  { name: 'octets', contentFormat: 42, path: '/9999/0/5', payload: (size) => bytes(size, 0xff) },
  { name: 'digits for an integer', contentFormat: 0, path: '/9999/0/1', payload: (size) => bytes(size, 0x39) },
  { name: 'digits for a float', contentFormat: 0, path: '/9999/0/3', payload: (size) => bytes(size, 0x39) },
  {
    name: 'zeros, then a digit, for a float',
    contentFormat: 0,
    path: '/9999/0/3',
    payload: (size) => text(`1.${'0'.repeat(size - 3)}1`),
  },
  { name: 'type bytes', contentFormat: 11542, path: '/9999/0', payload: (size) => bytes(size, 0xc0) },
  { name: 'nested arrays', contentFormat: 112, path: '/', payload: (size) => bytes(size, 0x81) },
  { name: 'open arrays', contentFormat: 112, path: '/', payload: (size) => bytes(size, 0x9f) },
  { name: 'records that are integers', contentFormat: 112, path: '/', payload: (size) => bytes(size, 0x01, [0x9f]) },
  { name: 'empty chunks', contentFormat: 60, path: '/9999/0/0', payload: (size) => bytes(size, 0x60, [0x7f]) },
  { name: 'empty maps for keys', contentFormat: 11544, path: '/', payload: (size) => bytes(size, 0xa0, [0xbf]) },
  {
    name: 'a bignum',
    contentFormat: 60,
    path: '/9999/0/1',
    payload: (size) => bytes(size, 0xff, [0xc2, 0x5a, ...bigEndian(size - 6)]),
  },
  { name: 'brackets', contentFormat: 110, path: '/', payload: (size) => bytes(size, 0x5b) },
  { name: 'blanks', contentFormat: 110, path: '/', payload: (size) => bytes(size, 0x20) },
  { name: 'digits', contentFormat: 110, path: '/', payload: (size) => bytes(size, 0x39) },
  { name: 'escapes', contentFormat: 110, path: '/', payload: (size) => text(`["${'\\n'.repeat(size / 2)}`) },
  {
    name: 'a name that grows',
    contentFormat: 110,
    path: '/',
    payload: (size) => text(`[{"bn":"/${'3'.repeat(size / 2)}"},${'{"n":""},'.repeat(size / 20)}{}]`),
  },
  { name: 'links', contentFormat: 40, path: '/', payload: (size) => text(`${'</1/0>;a=b,'.repeat(size / 11)}</>`) },
  { name: 'one target', contentFormat: 40, path: '/', payload: (size) => text(`<${'/a'.repeat(size / 2)}`) },
  { name: 'escapes in a target', contentFormat: 40, path: '/', payload: (size) => text(`</${'%20'.repeat(size / 3)}`) },
  { name: 'an open quote', contentFormat: 40, path: '/', payload: (size) => text(`</>;a="${'\\"'.repeat(size / 2)}`) },
  { name: 'attributes', contentFormat: 40, path: '/', payload: (size) => text(`</>${';a'.repeat(size / 2)}`) },
];

function bigEndian(length: number): number[] {
  return [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
}

/** The milliseconds of decoding in the fastest of several runs. */
function measure({ contentFormat, path }: Subject, payload: Uint8Array): number {
  let least = Infinity;
  const until = performance.now() + 200;
  for (let run = 0; run < 3 || (run < 1000 && performance.now() < until); run += 1) {
    const start = performance.now();
    try {
      if (contentFormat === ContentFormat.linkFormat) decodeLinks(payload);
      else decode({ contentFormat, path: Path.parse(path), payload, model, now: 0 });
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
    }
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function mib(size: number): string {
  return `${(size / 1024 / 1024).toFixed(1)} MiB`;
}

function registryCost(): string {
  const before = heap();
  const start = performance.now();
  const registry = registryModel();
  const opened = performance.now() - start;
  const afterOpening = heap() - before;
  const resources = [...registry.definitions()].reduce((sum, definition) => sum + definition.resources.length, 0);
  const whole = performance.now() - start;
  const afterAll = heap() - before;
  return (
    `registry: open ${opened.toFixed(1)} ms, ${mib(afterOpening)} of heap; ` +
    `all ${resources} resources unpacked ${whole.toFixed(1)} ms, ${mib(afterAll)}`
  );
}

console.log(registryCost());
console.log(['MiB/s', ...SIZES.map((size) => `${size / 1024} KiB`), 'payload'].join('\t'));
for (const subject of subjects) {
  const speeds = SIZES.map((size) => {
    const payload = subject.payload(size);
    return ((payload.length / 1024 / 1024 / measure(subject, payload)) * 1000).toFixed(1);
  });
  console.log(['', ...speeds, `${contentFormatName(subject.contentFormat)}: ${subject.name}`].join('\t'));
}
