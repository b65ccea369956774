import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObjectDefinition, ObjectModel } from './definition.ts';
import { VersionedModel } from './object-versions.ts';
import type { ObjectVersion } from './object-versions.ts';
import { packedDate, packedHead, unpackDefinition } from './packed.ts';

const PACKED = join('data', 'objects.txt');

/** The registry that is built in. */
interface Registry {
  readonly model: ObjectModel;
  readonly date: string;
}

let loaded: Registry | undefined;

/**
 * The OMA registry (source: data/NOTICE.txt). The first call reads the file; each object is unpacked at its first use.
 * Throws the error of the file system when the file is missing.
 */
export function registryModel(): ObjectModel {
  return registry().model;
}

/**
 * The day up to which the built-in registry has all public objects: `2024-02-22`. It has some newer ones too
 * (data/NOTICE.txt). Throws as registryModel does.
 */
export function registryDate(): string {
  return registry().date;
}

function registry(): Registry {
  if (loaded) return loaded;
  const bytes = readFileSync(packedFile());
  const date = packedDate(bytes.toString('latin1', 0, bytes.indexOf('\n')));
  loaded = { model: new VersionedModel(packedVersions(bytes)), date };
  return loaded;
}

/** Keeps each line as bytes outside the heap until its object is used. */
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

/** Looks for the file in all parent folders, because this module runs from src/ and from dist/src/. */
function packedFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, PACKED);
    const parent = dirname(folder);
    if (existsSync(file) || parent === folder) return file;
    folder = parent;
  }
}
