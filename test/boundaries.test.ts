import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEEPEST } from '../scripts/boundaries/oxlint-config.ts';
import { modules } from '../scripts/boundaries/table.ts';

const OXLINT = resolve('node_modules/oxlint/bin/oxlint');
const RESTRICTED = 'no-restricted-imports';
const CYCLE = 'no-cycle';

/** A file of the fixture, its one line, and the rule that must refuse it; null: the line is permitted. */
const lines: readonly (readonly [what: string, file: string, line: string, refusedBy: string | null])[] = [
  ['a lower module by its index', 'src/fleet/rpcs/a.ts', `export { x } from '../access/index.ts';`, null],
  ['the clock', 'src/fleet/access/a.ts', `export { x } from '../../clock.ts';`, null],
  ['a file of its own folder', 'src/fleet/access/b.ts', `export { x } from './key.ts';`, null],
  ['a file of a folder of its own', 'src/lwm2m/a.ts', `export { x } from './codec/key.ts';`, null],
  ['its parent folder', 'src/lwm2m/codec/a.ts', `export { x } from '../key.ts';`, null],
  ['everything, from the composition', 'src/composition/a.ts', `export { x } from '../fleet/index.ts';`, null],
  ['a higher layer', 'src/fleet/access/c.ts', `import { x } from '../rpcs/index.ts'; x();`, RESTRICTED],
  [
    'a higher layer by type only',
    'src/fleet/access/d.ts',
    `import type { X } from '../rpcs/index.ts'; export type Y = X;`,
    RESTRICTED,
  ],
  ['a higher layer by export from', 'src/fleet/access/e.ts', `export { x } from '../rpcs/index.ts';`, RESTRICTED],
  ['a higher layer by export *', 'src/fleet/access/f.ts', `export * from '../rpcs/index.ts';`, RESTRICTED],
  [
    'a file past the index of a lower module',
    'src/fleet/rpcs/b.ts',
    `export { x } from '../access/key.ts';`,
    RESTRICTED,
  ],
  [
    'a file past the index, from the fleet itself',
    'src/fleet/a.ts',
    `export { x } from './access/key.ts';`,
    RESTRICTED,
  ],
  [
    'a file past the index of the fleet',
    'schema/device/a.ts',
    `export { x } from '../../src/fleet/access/index.ts';`,
    RESTRICTED,
  ],
  ['the store, from the server', 'src/server/a.ts', `export { x } from '../store/index.ts';`, RESTRICTED],
  ['the composition, from a module', 'src/server/b.ts', `export { x } from '../composition/key.ts';`, RESTRICTED],
  ['a module two folders up', 'src/lwm2m/codec/b.ts', `export { x } from '../../fleet/index.ts';`, RESTRICTED],
  [
    'a module three folders up',
    'src/lwm2m/codec/deep/a.ts',
    `export { x } from '../../../fleet/index.ts';`,
    RESTRICTED,
  ],
  ['any file, from the clock', 'src/clock.ts', `export { x } from './config/index.ts';`, RESTRICTED],
];

/** Two files of one module that import only types from each other. */
const cycle: readonly (readonly [file: string, line: string])[] = [
  ['src/coap/one.ts', `import type { Two } from './two.ts'; export interface One { readonly two: Two }`],
  ['src/coap/two.ts', `import type { One } from './one.ts'; export interface Two { readonly one: One }`],
];

/** Files that the lines above import, so that every import resolves. */
const imported = [
  'src/fleet/index.ts',
  'src/fleet/access/index.ts',
  'src/fleet/access/key.ts',
  'src/fleet/rpcs/index.ts',
  'src/lwm2m/key.ts',
  'src/lwm2m/codec/key.ts',
  'src/store/index.ts',
  'src/composition/key.ts',
  'src/config/index.ts',
];

interface Finding {
  readonly filename: string;
  readonly code: string;
}

let directory: string;
let findings: readonly Finding[];

function write(file: string, text: string): void {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

/** Returns the findings of the real oxlint with the generated configuration. */
function lint(): Promise<readonly Finding[]> {
  return new Promise((found, failed) => {
    execFile(
      process.execPath,
      [OXLINT, '--format=json', 'src', 'schema'],
      { cwd: directory },
      (error, stdout, stderr) => {
        if (!stdout.startsWith('{')) failed(error ?? new Error(stdout + stderr));
        else found((JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics);
      },
    );
  });
}

/** Returns the names of the import rules that refuse a file. */
function refusals(file: string): string[] {
  const names = [RESTRICTED, CYCLE];
  const codes = findings.filter(({ filename }) => filename === file).map(({ code }) => code);
  return names.filter((name) => codes.some((code) => code.includes(name)));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'treeline-boundaries-'));
  copyFileSync('.oxlintrc.json', join(directory, '.oxlintrc.json'));
  for (const file of imported) write(file, 'export function x(): void {}\nexport interface X { readonly x: string }');
  for (const [, file, line] of lines) write(file, line);
  for (const [file, line] of cycle) write(file, line);
  findings = await lint();
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('the import rules', () => {
  it.each(lines.filter(([, , , refusedBy]) => refusedBy === null))('permit %s', (_what, file) => {
    expect(refusals(file)).toEqual([]);
  });

  it.each(lines.filter(([, , , refusedBy]) => refusedBy !== null))('refuse %s', (_what, file, _line, refusedBy) => {
    expect(refusals(file)).toEqual([refusedBy]);
  });

  it('refuse a cycle of type imports', () => {
    expect(cycle.map(([file]) => refusals(file))).toEqual([[CYCLE], [CYCLE]]);
  });

  it('are the ones that scripts/boundaries/table.ts generates, as is the module table of docs/architecture.md', () => {
    expect(() => execFileSync('npm', ['run', '--silent', 'boundaries', '--', '--check'])).not.toThrow();
  }, 60_000);

  it('cover every folder', () => {
    const free = ['src', 'src/cli', 'src/composition'];
    const folders = ['src', 'schema']
      .flatMap((top) => readdirSync(top, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map(({ parentPath }) => parentPath);
    const uncovered = [...new Set(folders)].filter(
      (folder) => !free.includes(folder) && !modules.some((module) => covers(module.folder, folder)),
    );
    expect(uncovered).toEqual([]);
  });
});

/** The fleet's own rules are for its files only; each of its folders is a module. */
function covers(module: string, folder: string): boolean {
  const depth = module === 'src/fleet' ? 0 : DEEPEST;
  const inner = folder.slice(module.length).split('/').length - 1;
  return `${folder}/`.startsWith(`${module}/`) && inner <= depth;
}
