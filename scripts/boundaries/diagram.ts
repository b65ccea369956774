/** The module table as it stands in docs/architecture.md: highest layer first, with what each may import. */
import { modules, type Module } from './table.ts';

export function diagram(): string {
  const rows = modules
    .toReversed()
    .map((module) => `| \`${module.folder}\` | ${module.purpose} | ${importsOf(module)} |`);
  return ['| module | what it does | may import |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Layers of the fleet are named as one where a module may import all below it. */
function importsOf({ name, imports }: Module): string {
  const layers = imports.filter((other) => other.startsWith('fleet/'));
  const others = imports.filter((other) => !other.startsWith('fleet/'));
  const below = name === 'fleet' ? ['all modules of fleet'] : layers.length > 0 ? ['the fleet modules below it'] : [];
  return [...below, ...others].join(', ') || '–';
}
