import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObjectDefinition, ObjectModel } from './definition.ts';
import { VersionedModel } from './object-versions.ts';
import type { ObjectVersion } from './object-versions.ts';
import { packedHead, unpackDefinition } from './packed.ts';

const PACKED = join('data', 'objects.txt');

let loaded: ObjectModel | undefined;

/**
 * The OMA registry (data/NOTICE.txt says which): read at the first call, each object unpacked when it is first asked
 * for. Throws the file system's error when the package lacks its data.
 */
export function registryModel(): ObjectModel {
  loaded ??= new VersionedModel(packedVersions(readFileSync(packedFile())));
  return loaded;
}

/** Lines are kept as bytes, outside the heap, until their object is wanted. */
function* packedVersions(bytes: Buffer): Generator<ObjectVersion> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf('\n', start);
    const line = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    const head = packedHead(line.toString('latin1', 0, 32));
    if (head !== undefined) yield { ...head, definition: once(() => unpackDefinition(line.toString('utf8'))) };
    start += line.length + 1;
  }
}

function once(unpack: () => ObjectDefinition): () => ObjectDefinition {
  let definition: ObjectDefinition | undefined;
  return () => (definition ??= unpack());
}

/** The package's root is upward of here, from src/ as from dist/src/. */
function packedFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, PACKED);
    const parent = dirname(folder);
    if (existsSync(file) || parent === folder) return file;
    folder = parent;
  }
}
