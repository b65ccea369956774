import { Command } from 'commander';
import {
  ContentFormat,
  currentContentFormat,
  encode,
  encodeComposite,
  encodePaths,
  formatLinks,
  isTextual,
  Lwm2mError,
  Path,
} from '../lwm2m/index.ts';
import type { CompositeValue, ObjectModel, TimedValue, TypedValue } from '../lwm2m/index.ts';
import { contentFormatOf, printOne, runJsonLines } from './decode-lines.ts';
import type { Streams } from './decode-lines.ts';
import { modelOf } from './decode-model.ts';
import type { ModelOptions } from './decode-model.ts';
import { isRecord, parseType, parseValue } from './decode-spelling.ts';
import { fail } from './failure.ts';

interface EncodeOptions extends ModelOptions {
  readonly contentFormat?: string;
  readonly path: string;
  readonly paths?: boolean;
  readonly jsonl?: boolean;
}

/** A line that `decode --jsonl` can read; `text` is present for textual formats. */
interface EncodeOutput {
  readonly contentFormat: number;
  readonly path: string;
  readonly hex: string;
  readonly text?: string;
}

type Record = Readonly<{ [name: string]: unknown }>;

export function encodeCommand(streams: Streams = process): Command {
  return new Command('encode')
    .description(
      'Encodes a payload from the output of decode; prints {"contentFormat", "path", "hex"} or {"error": …}.',
    )
    .argument(
      '[readings]',
      'JSON: [{"path": "/3/0/9", "value": 100}, …]; "type" is required where no definition contains it',
    )
    .option('-f, --content-format <number>', 'the CoAP Content-Format of the payload, for example 11542 for TLV')
    .option('-p, --path <path>', 'the path of the request that the payload belongs to', '/')
    .option('--paths', 'encode the list of paths of a Read-Composite')
    .option(
      '--types <file>',
      'JSON file with objects to add to the registry, for example {"9999": {"0": "String", "9": "Integer multiple"}}',
    )
    .option('--model <file>', 'XML file with OMA object definitions to add to the registry')
    .option(
      '--jsonl',
      'read one JSON object per line from standard input: {"contentFormat", "path", "readings" or "links"}; optional: "pathsOnly"',
    )
    .action(async (readings: string | undefined, options: EncodeOptions) => {
      try {
        const model = modelOf(options);
        if (options.jsonl === true) {
          await runJsonLines(streams, (line) => answer(line, model));
        } else {
          const line = lineOf(readings, options);
          printOne(streams, () => answer(line, model));
        }
      } catch (error) {
        fail(error);
      }
    });
}

/** Converts the command line's arguments to a line of --jsonl. */
function lineOf(readings: string | undefined, options: EncodeOptions): unknown {
  if (readings === undefined) throw new Error('give a readings argument, or --jsonl to read from standard input');
  const contentFormat = Number(options.contentFormat);
  const given: unknown = JSON.parse(readings);
  const links = currentContentFormat(contentFormat) === ContentFormat.linkFormat;
  return {
    contentFormat,
    path: options.path,
    [links ? 'links' : 'readings']: given,
    pathsOnly: options.paths === true,
  };
}

function answer(line: unknown, model: ObjectModel): EncodeOutput {
  if (!isRecord(line)) throw new Lwm2mError('INVALID_ARGUMENT', 'each line must be a JSON object');
  const { path = '/' } = line;
  if (typeof path !== 'string') throw new Lwm2mError('INVALID_ARGUMENT', '"path" must be a string');
  const contentFormat = contentFormatOf(line);
  const payload = payloadOf(line, contentFormat, Path.parsePrefixed(path), model);
  const hex = Buffer.from(payload).toString('hex');
  if (!isTextual(contentFormat)) return { contentFormat, path, hex };
  return { contentFormat, path, hex, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload) };
}

function payloadOf(line: Record, contentFormat: number, path: Path, model: ObjectModel): Uint8Array {
  switch (currentContentFormat(contentFormat)) {
    case ContentFormat.linkFormat:
      return new TextEncoder().encode(formatLinks(listOf(line, 'links').map(linkOf)));
    case ContentFormat.senmlEtchJson:
    case ContentFormat.senmlEtchCbor:
      if (line['pathsOnly'] !== true) {
        return encodeComposite(
          contentFormat,
          listOf(line, 'readings').map((reading) => compositeOf(reading, model)),
        );
      }
  }
  const readings = listOf(line, 'readings');
  if (line['pathsOnly'] === true) return encodePaths(contentFormat, readings.map(pathOf));
  return encode({
    contentFormat,
    path,
    values: readings.filter((reading) => !isEmpty(reading)).map((reading) => timedOf(reading, model)),
    empty: readings.filter(isEmpty).map(pathOf),
  });
}

function listOf(line: Record, name: 'readings' | 'links'): readonly Record[] {
  const list = line[name];
  if (Array.isArray(list) && list.every(isRecord)) return list;
  throw new Lwm2mError('INVALID_ARGUMENT', `"${name}" must be a list of JSON objects`);
}

function isEmpty({ type }: Record): boolean {
  return type === 'empty-instance' || type === 'empty-multiple';
}

function pathOf({ path }: Record): Path {
  if (typeof path === 'string') return Path.parsePrefixed(path);
  throw new Lwm2mError('INVALID_ARGUMENT', 'each reading requires a "path", a string');
}

function timedOf(reading: Record, model: ObjectModel): TimedValue {
  const { time = null } = reading;
  if (time !== null && typeof time !== 'number')
    throw new Lwm2mError('INVALID_ARGUMENT', '"time" must be a number of seconds');
  const path = pathOf(reading);
  return { path, value: valueOf(reading, path, model), time };
}

function compositeOf(reading: Record, model: ObjectModel): CompositeValue {
  return reading['type'] === 'delete' ? { path: pathOf(reading), value: null } : timedOf(reading, model);
}

function valueOf({ type, value }: Record, path: Path, model: ObjectModel): TypedValue {
  const { objectId, resourceId } = path;
  const known = objectId === null || resourceId === null ? undefined : model.resource(objectId, resourceId)?.type;
  if (type === undefined && (known ?? null) === null) {
    throw new Lwm2mError(
      'INVALID_ARGUMENT',
      `the type of ${path} is unknown because no definition contains it: give "type"`,
    );
  }
  return parseValue(parseType(type ?? known), value);
}

function linkOf({ uri, attrs }: Record): { uri: string; attributes: { [name: string]: string | null } } {
  if (typeof uri !== 'string' || !isRecord(attrs))
    throw new Lwm2mError('INVALID_ARGUMENT', 'each link must be {"uri": "…", "attrs": {…}}');
  const attributes = Object.entries(attrs).map(
    ([name, value]) => [name, value === null ? null : String(value)] as const,
  );
  return { uri, attributes: Object.fromEntries(attributes) };
}
