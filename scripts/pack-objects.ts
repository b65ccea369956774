/**
 * Packs object definitions into data/objects.txt. The input has one JSON object per line (id, version, name, urn,
 * lwm2mVersion, multiple, mandatory, resources). The output has one object version per line, sorted, with fields as
 * arrays, so that the registry is read lazily and a change to it is a readable diff.
 *
 *     node --import tsx scripts/pack-objects.ts objects.jsonl [more.jsonl …] > data/objects.txt
 */
import { readFileSync } from 'node:fs';
import { compareVersions, packDefinition } from '../src/lwm2m/model/packed.ts';
import type { ObjectDefinition } from '../src/lwm2m/index.ts';

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

const definitions = process.argv
  .slice(2)
  .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'))
  .map((line): ObjectDefinition => {
    // The input is not checked here: a test reads the packed registry.
    const source = JSON.parse(line) as SourceObject;
    return {
      ...source,
      resources: source.resources
        .map(({ ops, type, ...rest }) => ({ ...rest, operations: ops, type: ops === 'E' || type === '' ? null : type }))
        .sort((left, right) => left.id - right.id),
    };
  })
  .sort((left, right) => left.id - right.id || compareVersions(left.version, right.version));

process.stdout.write(definitions.map((definition) => `${packDefinition(definition)}\n`).join(''));
