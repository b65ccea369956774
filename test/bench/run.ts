import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/**
 * `npm run bench [name…]` runs each benchmark in a separate process; compare figures only within one run. `compiled`
 * benchmarks run as JavaScript, like the installed product, because tsx wraps every function that it translates.
 */
const benchmarks = {
  coap: { script: 'coap', compiled: true, postgres: false },
  codec: { script: 'codec', compiled: true, postgres: false },
  dtls: { script: 'dtls', compiled: true, postgres: false },
  fleet: { script: 'fleet', compiled: false, postgres: false },
  'fleet-postgres': { script: 'fleet', compiled: false, postgres: true },
} as const;

const ROOT = join(import.meta.dirname, '../..');
const TSX = ['--import', 'tsx'];

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) {
  console.error(`unknown benchmark ${unknown}, the benchmarks are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
const asked = Object.entries(benchmarks).filter(([name]) => wanted.length === 0 || wanted.includes(name));

if (asked.some(([, { compiled }]) => compiled)) {
  await run(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.bench.json'));
}
for (const [name, { script, compiled, postgres }] of asked) {
  console.log(`\n== ${name}`);
  const command = compiled
    ? ['--expose-gc', join(ROOT, `.bench/test/bench/${script}.js`)]
    : [...TSX, join(ROOT, `test/bench/${script}.ts`)];
  if (postgres) await run(...TSX, join(ROOT, 'scripts/peers/with-postgres.ts'), process.execPath, ...command);
  else await run(...command);
}

/** Runs node with these arguments. When it fails, this process exits with an error too. */
async function run(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = 1;
}
