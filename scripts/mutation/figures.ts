import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What a run found in one file. */
export interface FileFigures {
  readonly mutants: number;
  readonly killed: number;
  readonly timedOut: number;
  readonly explained: number;
  readonly unexplained: number;
  readonly date: string;
  readonly commit: string;
}

type ModuleFigures = Readonly<Record<string, FileFigures>>;

const DOCUMENT = 'docs/mutation.md';
const TABLE_START = '<!-- figures: written by npm run mutation -->';
const TABLE_END = '<!-- end of figures -->';

/** Keeps the figures of these files; those of the module's other files stay, unless the file is gone. */
export function keepFigures(module: string, figures: ModuleFigures): void {
  const merged = { ...readFigures(module), ...figures };
  const present = Object.entries(merged).filter(([file]) => existsSync(file));
  const sorted = Object.fromEntries(present.sort(([one], [other]) => (one < other ? -1 : 1)));
  writeFileSync(figuresFile(module), `${JSON.stringify(sorted, null, 2)}\n`);
}

/** Writes the table of all modules into docs/mutation.md; `files` is how many files each module has. */
export function writeTable(files: ReadonlyMap<string, number>): void {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [before = '', rest = ''] = document.split(TABLE_START);
  const after = rest.split(TABLE_END)[1] ?? '';
  const rows = [...files].map(([module, count]) => row(module, count, Object.values(readFigures(module))));
  const table = [
    '| module | files run | mutants | killed | timed out | survived, explained | survived, unexplained | score | date | commit |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.filter((text) => text !== null),
  ];
  writeFileSync(DOCUMENT, `${before}${TABLE_START}\n${table.join('\n')}\n${TABLE_END}${after}`);
}

/** Percent of the mutants that the tests notice; a mutant that never ends is noticed. */
export function score({ mutants, killed, timedOut }: FileFigures): number {
  return mutants === 0 ? 100 : ((killed + timedOut) / mutants) * 100;
}

/** The figures of several files together, with the date and commit of the oldest. */
export function total(files: readonly FileFigures[]): FileFigures | null {
  const [oldest] = files.toSorted((one, other) => (one.date < other.date ? -1 : 1));
  if (oldest === undefined) return null;
  const sum = (of: (figures: FileFigures) => number): number => files.reduce((result, file) => result + of(file), 0);
  return {
    mutants: sum((file) => file.mutants),
    killed: sum((file) => file.killed),
    timedOut: sum((file) => file.timedOut),
    explained: sum((file) => file.explained),
    unexplained: sum((file) => file.unexplained),
    date: oldest.date,
    commit: oldest.commit,
  };
}

function row(module: string, count: number, files: readonly FileFigures[]): string | null {
  const all = total(files);
  if (all === null) return null;
  const { mutants, killed, timedOut, explained, unexplained, date, commit } = all;
  const run = `${files.length} of ${count}`;
  const cells = [
    module,
    run,
    mutants,
    killed,
    timedOut,
    explained,
    unexplained,
    `${score(all).toFixed(1)} %`,
    date,
    commit,
  ];
  return `| ${cells.join(' | ')} |`;
}

function figuresFile(module: string): string {
  return `test/mutation/figures/${module}.json`;
}

function readFigures(module: string): ModuleFigures {
  const file = figuresFile(module);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}
