import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, isAbstractType } from 'graphql';

export const SDL_FILE = join(import.meta.dirname, '../../../schema/schema.graphql');

/** The schema of the SDL, which caches need to know the types of fragments. */
export const sdl = buildSchema(readFileSync(SDL_FILE, 'utf8'));

/** The members of each union and the implementations of each interface, in the form of Apollo's cache. */
export function possibleTypes(): Record<string, string[]> {
  const abstract = Object.values(sdl.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(abstract.map((type) => [type.name, sdl.getPossibleTypes(type).map(({ name }) => name)]));
}
