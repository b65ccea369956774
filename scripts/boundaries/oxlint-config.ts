/** The configuration of oxlint: the rules for all files, and one entry per module for its imports. */
import { relative } from 'node:path';
import { modules, type Module } from './table.ts';

const CLOCK = 'src/clock.ts';

/** How many folders deep the files of a module may be. A test fails when a file is deeper, because no rule covers it. */
export const DEEPEST = 2;

export function oxlintConfig(): unknown {
  return {
    $schema: './node_modules/oxlint/configuration_schema.json',
    plugins: ['typescript', 'import', 'unicorn', 'promise'],
    categories: { correctness: 'error', suspicious: 'error' },
    rules: {
      'typescript/no-explicit-any': 'error',
      'typescript/no-non-null-assertion': 'error',
      'typescript/consistent-type-imports': 'error',
      'import/no-cycle': ['error', { ignoreTypes: false }],
      'max-lines': ['error', { max: 399 }],
      'no-console': 'error',
      'no-shadow': 'off',
      'no-await-in-loop': 'off',
      'no-underscore-dangle': 'off',
      'unicorn/no-array-sort': 'off',
      'unicorn/no-array-reverse': 'off',
      'import/no-unassigned-import': 'off',
    },
    ignorePatterns: ['dist', 'migrations'],
    overrides: [
      { files: ['src/cli.ts', 'src/cli/**', 'scripts/**', 'test/**', 'examples/**'], rules: { 'no-console': 'off' } },
      restricted([CLOCK], ['./**', '../**'], 'This file imports no other file of the repository.'),
      ...modules.flatMap(entriesOf),
    ],
  };
}

/** Import patterns are relative, so each depth of folders has an entry. */
function entriesOf(module: Module): unknown[] {
  const { folder } = module;
  const inner = modules.filter(({ folder: other }) => other.startsWith(`${folder}/`));
  if (inner.length === 0) return Array.from({ length: DEEPEST + 1 }, (_, depth) => entry(module, depth));
  const message = `${module.name} imports its own modules by their index.ts; ${rule(module)}`;
  return [restricted([`${folder}/*.ts`], ['./*/**', '!./*/index.ts', ...outside(module, 0)], message)];
}

function entry(module: Module, depth: number): unknown {
  return restricted([`${module.folder}${'/*'.repeat(depth)}/*.ts`], outside(module, depth), rule(module));
}

function outside(module: Module, depth: number): string[] {
  const from = `${module.folder}${'/x'.repeat(depth)}`;
  const allowed = [CLOCK, ...module.imports.map((name) => `${folderOf(name)}/index.ts`)];
  return [`${'../'.repeat(depth + 1)}**`, ...allowed.map((file) => `!${relativeTo(from, file)}`)];
}

function folderOf(name: string): string {
  const found = modules.find((module) => module.name === name);
  if (!found) throw new Error(`scripts/boundaries/table.ts names an unknown module: ${name}`);
  return found.folder;
}

function relativeTo(from: string, file: string): string {
  const path = relative(from, file);
  return path.startsWith('.') ? path : `./${path}`;
}

function rule({ name, imports }: Module): string {
  return `${name} may import ${['the clock', ...imports].join(', ')}, each by its index.ts (scripts/boundaries/table.ts).`;
}

function restricted(files: readonly string[], group: readonly string[], message: string): unknown {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] } };
}
