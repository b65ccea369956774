/**
 * Packs object definitions into data/objects.txt. A file ends with
 * - `.xml`: an OMA object definition file,
 * - `.txt`: the packed registry,
 * - `.jsonl`: one JSON object per line (id, version, name, urn, lwm2mVersion, multiple, mandatory, resources).
 * A later definition replaces an earlier one of the same id and version. The output has the date on its first line, then
 * one object version per line, sorted, with fields as arrays, so that the registry is read lazily and a change to it is a
 * readable diff. DATE is the day up to which the files contain all public objects.
 *
 *     node --import tsx scripts/pack-objects.ts DATE data/objects.txt 3464.xml … > /tmp/objects.txt
 */
import { readFileSync } from 'node:fs';
import { compareVersions, packDate, packDefinition, packedHead, unpackDefinition } from '../src/lwm2m/model/packed.ts';
import { parseObjectXml, type ObjectDefinition } from '../src/lwm2m/index.ts';

interface SourceResource {
  readonly id: number;
  readonly name: string;
  readonly ops: ObjectDefinition['resources'][number]['operations'];
  readonly multiple: boolean;
  readonly mandatory: boolean;
  readonly type: NonNullable<ObjectDefinition['resources'][number]['type']> | '';
  readonly range: string;
  readonly units: string;
}

type SourceObject = Omit<ObjectDefinition, 'resources'> & { readonly resources: readonly SourceResource[] };

function definitionsOf(file: string): readonly ObjectDefinition[] {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.xml')) return parseObjectXml(text);
  const lines = text.trim().split('\n');
  if (file.endsWith('.txt')) return lines.filter((line) => packedHead(line) !== undefined).map(unpackDefinition);
  return lines.map(fromJson);
}

function fromJson(line: string): ObjectDefinition {
  // The input is not checked here: a test reads the packed registry.
  const source = JSON.parse(line) as SourceObject;
  return {
    ...source,
    resources: source.resources
      .map(({ ops, type, ...rest }) => ({ ...rest, operations: ops, type: ops === 'E' || type === '' ? null : type }))
      .sort((left, right) => left.id - right.id),
  };
}

const [date = '', ...files] = process.argv.slice(2);
if (!/^\d{4}-\d\d-\d\d$/.test(date))
  throw new Error(`the first argument must be a date such as 2024-02-22, not ${date}`);
const byKey = new Map(files.flatMap(definitionsOf).map((each) => [`${each.id}/${each.version}`, each]));
const definitions = [...byKey.values()].sort(
  (left, right) => left.id - right.id || compareVersions(left.version, right.version),
);

process.stdout.write([packDate(date), ...definitions.map(packDefinition)].map((line) => `${line}\n`).join(''));
