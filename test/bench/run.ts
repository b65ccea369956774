import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** `npm run bench [name…]`: each benchmark in a process of its own; their figures are ratios within one run. */
const benchmarks = ['coap', 'codec', 'dtls', 'fleet', 'fleet-postgres'] as const;

/** Gives a command a Postgres, where this machine has one. */
const WITH_POSTGRES = fileURLToPath(new URL('../../scripts/peers/with-postgres.ts', import.meta.url));

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !benchmarks.some((known) => known === name));
if (unknown !== undefined) {
  console.error(`there is no benchmark ${unknown}: ${benchmarks.join(', ')} are`);
  process.exit(1);
}

for (const name of benchmarks) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n== ${name}`);
  const script = fileURLToPath(new URL(`${name.replace('-postgres', '')}.ts`, import.meta.url));
  const command = [process.execPath, '--expose-gc', '--import', 'tsx', script];
  const [program = '', ...args] = name.endsWith('-postgres')
    ? [process.execPath, '--import', 'tsx', WITH_POSTGRES, ...command]
    : command;
  const child = spawn(program, args, { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = 1;
}
