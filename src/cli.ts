#!/usr/bin/env node
import { nodeProblem } from './cli/node-version.ts';

const problem = nodeProblem(process.versions.node);
if (problem !== null) {
  process.stderr.write(`treeline: ${problem}\n`);
  process.exit(1);
}
// Imported here, because an old Node may not be able to load the rest.
await import('./cli/program.ts');
