/**
 * `npm run mutation` runs every module of modules.ts, `npm run mutation -- dtls` one. Fails when a surviving mutant has
 * no explanation in test/mutation/survivors. docs/mutation.md says how to use it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { keepFigures, score, total, writeTable, type FileFigures } from './figures.ts';
import { filesOf, MODULES, type Part } from './modules.ts';
import {
  compare,
  mutationOf,
  readExplanations,
  survivorsFile,
  type Comparison,
  type MutantResult,
  type SurvivingMutation,
} from './survivors.ts';
import { TESTS_VARIABLE } from './vitest.config.ts';

/**
 * A text decides nothing by itself, and tests should not repeat wordings. An object without its properties does not
 * compile in nearly all cases, which StrykerJS cannot see: its checker does not know TypeScript 7.
 */
const TEXT_MUTATORS = ['StringLiteral'];
const EXCLUDED_MUTATORS = ['ObjectLiteral'];

/** Outside the committed files: StrykerJS's sandbox, what a next `--incremental` run reuses, and the last survivors. */
const WORK_DIRECTORY = '.mutation';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only these files of the module, or `file:from-to` for some lines; several times. */
    mutate: { type: 'string', multiple: true },
    /** Only these test files; several times. */
    tests: { type: 'string', multiple: true },
    concurrency: { type: 'string', default: process.env['MUTATION_CONCURRENCY'] ?? '2' },
    /** Takes over what the last run found where neither the mutant nor its tests changed. */
    incremental: { type: 'boolean', default: false },
    /** Does not write the figures. */
    'no-figures': { type: 'boolean', default: false },
    /** Runs nothing, writes the table of docs/mutation.md from the figures. */
    table: { type: 'boolean', default: false },
  },
});

mkdirSync(WORK_DIRECTORY, { recursive: true });
if (!options.table) {
  for (const name of positionals.length > 0 ? positionals : Object.keys(MODULES)) await runModule(name);
}
writeTable(new Map(Object.entries(MODULES).map(([name, parts]) => [name, [...filesOf(parts).values()].flat().length])));

async function runModule(name: string): Promise<void> {
  const module = MODULES[name];
  if (module === undefined) throw new Error(`${name} is not a module of scripts/mutation/modules.ts`);
  const results: MutantResult[] = [];
  for (const [part, files] of filesOf(module)) {
    const chosen = options.mutate?.filter((pattern) => files.includes(pattern.replace(/:.*/, ''))) ?? files;
    if (chosen.length > 0) results.push(...(await mutate(part, chosen, `${name}-${module.indexOf(part)}`)));
  }
  const judged = results.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError');
  const files = byFile(judged);
  const comparison = compare(
    [...files].flatMap(([file, mutants]) => survivorsOf(file, mutants)),
    readExplanations(name),
    new Set(files.keys()),
  );
  const figures = [...files].map(([file, mutants]) => [file, figuresOf(file, mutants, comparison)] as const);
  // Some lines, or other tests than the module's, say nothing about the file.
  const whole = options.tests === undefined && !(options.mutate ?? []).some((pattern) => pattern.includes(':'));
  if (whole && !options['no-figures']) keepFigures(name, Object.fromEntries(figures));
  report(name, figures, whole ? comparison : { ...comparison, outdated: [] });
}

async function mutate(part: Part, files: readonly string[], name: string): Promise<readonly MutantResult[]> {
  process.env[TESTS_VARIABLE] = JSON.stringify(options.tests ?? part.tests);
  const stryker = new Stryker({
    mutate: [...files],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'scripts/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: Number(options.concurrency),
    mutator: { excludedMutations: part.texts ? EXCLUDED_MUTATORS : [...EXCLUDED_MUTATORS, ...TEXT_MUTATORS] },
    disableTypeChecks: false,
    // StrykerJS would rewrite its paths with an API that TypeScript 7 lacks; ours has none to rewrite, so it finds none.
    tsconfigFile: 'none',
    reporters: ['progress-append-only'],
    clearTextReporter: { allowColor: false },
    ignorePatterns: ['dist', 'coverage', '.bench', '.peers', '.treeline'],
    tempDirName: `${WORK_DIRECTORY}/sandbox`,
    cleanTempDir: 'always',
    incremental: options.incremental,
    incrementalFile: `${WORK_DIRECTORY}/${name}.json`,
    // A busy machine must not make a mutant look as if it never ended.
    timeoutMS: 10_000,
    timeoutFactor: 2,
    dryRunTimeoutMinutes: 15,
  });
  return stryker.runMutationTest();
}

function byFile(results: readonly MutantResult[]): Map<string, MutantResult[]> {
  const files = new Map<string, MutantResult[]>();
  for (const result of results) {
    const file = relative(process.cwd(), result.fileName);
    files.set(file, [...(files.get(file) ?? []), result]);
  }
  return files;
}

function survivorsOf(file: string, mutants: readonly MutantResult[]): SurvivingMutation[] {
  const content = readFileSync(file, 'utf8');
  return mutants
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map((mutant) => ({ file, ...mutationOf(mutant, content) }));
}

function figuresOf(file: string, mutants: readonly MutantResult[], comparison: Comparison): FileFigures {
  const count = (...statuses: readonly string[]): number =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  return {
    mutants: mutants.length,
    killed: count('Killed', 'RuntimeError'),
    timedOut: count('Timeout'),
    explained: comparison.explained.filter((mutant) => mutant.file === file).length,
    unexplained: comparison.unexplained.filter((mutant) => mutant.file === file).length,
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
}

function report(
  name: string,
  figures: readonly (readonly [string, FileFigures])[],
  { explained, unexplained, outdated }: Comparison,
): void {
  for (const [file, of] of figures) {
    console.log(`${score(of).toFixed(1).padStart(6)} %  ${file}: ${of.mutants} mutants, ${of.unexplained} unexplained`);
  }
  const all = total(figures.map(([, of]) => of));
  if (all !== null) console.log(`${score(all).toFixed(1).padStart(6)} %  ${name}, ${explained.length} explained`);
  for (const { file, ...mutant } of outdated) {
    console.log(`outdated in ${survivorsFile(name)}: ${file}: ${JSON.stringify(mutant)}`);
  }
  for (const { file, ...mutant } of unexplained) {
    console.log(`survived without an explanation: ${file}: ${JSON.stringify(mutant)}`);
  }
  writeFileSync(`${WORK_DIRECTORY}/${name}-unexplained.json`, `${JSON.stringify(unexplained, null, 2)}\n`);
  if (unexplained.length > 0) process.exitCode = 1;
}
