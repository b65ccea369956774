import { Command } from 'commander';
import {
  ContentFormat,
  currentContentFormat,
  decode,
  decodeComposite,
  decodeLinks,
  decodePaths,
  isMeaningless,
  isTextual,
  Lwm2mError,
  Path,
} from '../lwm2m/index.ts';
import type { DecodeRequest, ObjectModel } from '../lwm2m/index.ts';
import { contentFormatOf, printOne, runJsonLines } from './decode-lines.ts';
import type { Streams } from './decode-lines.ts';
import { modelOf } from './decode-model.ts';
import type { ModelOptions } from './decode-model.ts';
import { isRecord, parseHex, parseType, spellDecoded, spellLink } from './decode-spelling.ts';
import type { SpelledLink, SpelledReading } from './decode-spelling.ts';
import { fail } from './failure.ts';

interface DecodeOptions extends ModelOptions {
  readonly contentFormat?: string;
  readonly path: string;
  readonly text?: boolean;
  readonly type?: string;
  readonly paths?: boolean;
  readonly jsonl?: boolean;
}

/** A decoded payload as one JSON object. */
type DecodeOutput =
  | { readonly readings: readonly (SpelledReading | { readonly path: string })[] }
  | { readonly links: readonly SpelledLink[]; readonly dropped?: readonly SpelledLink[] };

export function decodeCommand(streams: Streams = process): Command {
  return new Command('decode')
    .description('Decodes a payload of a device into one JSON object: {"readings": …}, {"links": …} or {"error": …}.')
    .argument('[payload]', 'the payload in hexadecimal; JSON and CoRE links also as plain text')
    .option('-f, --content-format <number>', 'the CoAP Content-Format of the payload, for example 11542 for TLV')
    .option('-p, --path <path>', 'the path of the request that the payload answers', '/')
    .option('--text', 'read the payload argument as text, not as hexadecimal')
    .option('--type <type>', "the resource's type; replaces the type of its definition")
    .option('--paths', 'decode the payload as the list of paths of a Read-Composite')
    .option(
      '--types <file>',
      'JSON file with objects to add to the registry, for example {"9999": {"0": "String", "9": "Integer multiple"}}',
    )
    .option('--model <file>', 'XML file with OMA object definitions to add to the registry')
    .option(
      '--jsonl',
      'read one JSON object per line from standard input: {"contentFormat", "path", "hex" or "text"}; optional: "resourceType", "pathsOnly", "now"',
    )
    .action(async (payload: string | undefined, options: DecodeOptions) => {
      try {
        const model = modelOf(options);
        if (options.jsonl === true) {
          await runJsonLines(streams, (line) => answer(line, model));
        } else {
          const line = lineOf(payload, options);
          printOne(streams, () => answer(line, model));
        }
      } catch (error) {
        fail(error);
      }
    });
}

/** Converts the command line's arguments to a line of --jsonl. */
function lineOf(payload: string | undefined, options: DecodeOptions): unknown {
  if (payload === undefined)
    throw new Error('give a payload argument, or --jsonl to read payloads from standard input');
  const contentFormat = Number(options.contentFormat);
  const asText = options.text === true || (isTextual(contentFormat) && /^[[{<]/.test(payload));
  return {
    contentFormat,
    path: options.path,
    ...(asText ? { text: payload } : { hex: payload }),
    ...(options.type === undefined ? {} : { resourceType: options.type }),
    ...(options.paths === undefined ? {} : { pathsOnly: options.paths }),
  };
}

function answer(line: unknown, model: ObjectModel): DecodeOutput {
  if (!isRecord(line)) throw new Lwm2mError('INVALID_ARGUMENT', 'each line must be a JSON object');
  const { path = '/', resourceType, now = Date.now() / 1000, pathsOnly = false } = line;
  if (typeof path !== 'string') throw new Lwm2mError('INVALID_ARGUMENT', '"path" must be a string');
  if (typeof now !== 'number') throw new Lwm2mError('INVALID_ARGUMENT', '"now" must be a number of seconds');
  const request: DecodeRequest = {
    contentFormat: contentFormatOf(line),
    path: Path.parsePrefixed(path),
    payload: payloadOf(line),
    model,
    resourceType: resourceType === undefined || resourceType === null ? undefined : parseType(resourceType),
    now,
  };
  if (pathsOnly === true) return { readings: decodePaths(request).map((asked) => ({ path: asked.toString() })) };
  switch (currentContentFormat(request.contentFormat)) {
    case ContentFormat.linkFormat:
      return linksOf(request.payload);
    case ContentFormat.senmlEtchJson:
    case ContentFormat.senmlEtchCbor:
      return { readings: spellDecoded(decodeComposite(request)) };
    default:
      return { readings: spellDecoded(decode(request)) };
  }
}

/** Lists meaningless links in `dropped`. Refuses a document that has no other links, as a Register does. */
function linksOf(payload: Uint8Array): DecodeOutput {
  const all = decodeLinks(payload);
  const dropped = all.filter(isMeaningless);
  const links = all.filter((link) => !isMeaningless(link)).map(spellLink);
  const [first] = dropped;
  if (first === undefined) return { links };
  if (links.length === 0)
    throw new Lwm2mError('INVALID_VALUE', `<${first.uri}> has no meaning in LwM2M`, { offset: 0 });
  return { links, dropped: dropped.map(spellLink) };
}

function payloadOf({ hex, text }: Readonly<Record<string, unknown>>): Uint8Array {
  if (typeof hex === 'string') return parseHex(hex);
  if (typeof text === 'string') return new TextEncoder().encode(text);
  throw new Lwm2mError('INVALID_ARGUMENT', '"hex" or "text" is required and must be a string');
}
