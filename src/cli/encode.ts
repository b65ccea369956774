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

/** A line that `decode --jsonl` reads; `text` is there when the format is text. */
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
      'Writes a payload: what decode prints, the other way; {"contentFormat", "path", "hex"} or {"error": …}.',
    )
    .argument('[readings]', 'JSON: [{"path": "/3/0/9", "value": 100}, …], with "type" where no definition says it')
    .option('-f, --content-format <number>', 'its CoAP Content-Format, as 11542 for TLV')
    .option('-p, --path <path>', 'the request path that it belongs to', '/')
    .option('--paths', 'write the list of paths of a Read-Composite')
    .option('--types <file>', 'objects that the registry lacks, as {"9999": {"0": "String", "9": "Integer multiple"}}')
    .option('--model <file>', 'objects that the registry lacks, as an OMA definition in XML')
    .option(
      '--jsonl',
      'read {"contentFormat", "path", "readings" or "links", and perhaps "pathsOnly"} a line from standard input',
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

/** The command's own arguments as a line of --jsonl would have them. */
function lineOf(readings: string | undefined, options: EncodeOptions): unknown {
  if (readings === undefined) throw new Error('give readings, or --jsonl to read them from standard input');
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
  if (!isRecord(line)) throw new Lwm2mError('INVALID_ARGUMENT', 'a line is a JSON object');
  const { path = '/' } = line;
  if (typeof path !== 'string') throw new Lwm2mError('INVALID_ARGUMENT', '"path" is a string');
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
  throw new Lwm2mError('INVALID_ARGUMENT', `"${name}" is a list of objects`);
}

function isEmpty({ type }: Record): boolean {
  return type === 'empty-instance' || type === 'empty-multiple';
}

function pathOf({ path }: Record): Path {
  if (typeof path === 'string') return Path.parsePrefixed(path);
  throw new Lwm2mError('INVALID_ARGUMENT', 'a reading has a "path"');
}

function timedOf(reading: Record, model: ObjectModel): TimedValue {
  const { time = null } = reading;
  if (time !== null && typeof time !== 'number')
    throw new Lwm2mError('INVALID_ARGUMENT', '"time" is a number of seconds');
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
    throw new Lwm2mError('INVALID_ARGUMENT', `no definition says what type ${path} has: give "type"`);
  }
  return parseValue(parseType(type ?? known), value);
}

function linkOf({ uri, attrs }: Record): { uri: string; attributes: { [name: string]: string | null } } {
  if (typeof uri !== 'string' || !isRecord(attrs))
    throw new Lwm2mError('INVALID_ARGUMENT', 'a link is {"uri", "attrs"}');
  const attributes = Object.entries(attrs).map(
    ([name, value]) => [name, value === null ? null : String(value)] as const,
  );
  return { uri, attributes: Object.fromEntries(attributes) };
}
