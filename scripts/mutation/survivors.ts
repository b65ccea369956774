import { existsSync, readFileSync } from 'node:fs';
import type { Stryker } from '@stryker-mutator/core';

/** StrykerJS's verdict on one mutant. */
export type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

/** A mutant, recognised by its text. It has no line number, so that edits elsewhere in the file do not matter. */
export interface Mutation {
  /** The source line on which the mutated text begins, without the spaces around it. */
  readonly line: string;
  /** The mutated text; each run of spaces and line ends is one space. */
  readonly original: string;
  /** What the mutant puts in its place. */
  readonly replacement: string;
}

/** Why tests cannot kill these mutants of a file: they behave as the original does, or differ where it does not matter. */
export interface Explanation {
  readonly file: string;
  readonly reason: string;
  readonly mutants: readonly Mutation[];
}

export type SurvivingMutation = Mutation & { readonly file: string };

export function survivorsFile(module: string): string {
  return `test/mutation/survivors/${module}.json`;
}

export function readExplanations(module: string): readonly Explanation[] {
  const file = survivorsFile(module);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** Describes a mutant of the file with this content. StrykerJS counts lines and columns from 1. */
export function mutationOf({ location, replacement }: MutantResult, content: string): Mutation {
  const { start, end } = location;
  const lines = content.split('\n').slice(start.line - 1, end.line);
  const line = lines[0] ?? '';
  const last = lines.length - 1;
  const original = lines
    .map((text, at) => text.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined))
    .join('\n');
  return { line: line.trim(), original: oneLine(original), replacement: oneLine(replacement ?? '') };
}

export interface Comparison {
  readonly explained: readonly SurvivingMutation[];
  readonly unexplained: readonly SurvivingMutation[];
  /** Explained mutants that did not survive: their entries can go. */
  readonly outdated: readonly SurvivingMutation[];
}

/**
 * Compares the survivors with the explanations for the files that were mutated. Mutants that look alike need as many
 * entries as there are.
 */
export function compare(
  survivors: readonly SurvivingMutation[],
  explanations: readonly Explanation[],
  mutatedFiles: ReadonlySet<string>,
): Comparison {
  const outdated = explanations
    .filter(({ file }) => mutatedFiles.has(file))
    .flatMap(({ file, mutants }) => mutants.map((mutant) => ({ file, ...mutant })));
  const explained: SurvivingMutation[] = [];
  const unexplained: SurvivingMutation[] = [];
  for (const survivor of survivors) {
    const at = outdated.findIndex((mutant) => key(mutant) === key(survivor));
    if (at >= 0) outdated.splice(at, 1);
    (at < 0 ? unexplained : explained).push(survivor);
  }
  return { explained, unexplained, outdated };
}

function key({ file, line, original, replacement }: SurvivingMutation): string {
  return JSON.stringify([file, line, original, replacement]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
