/**
 * `with-postgres.ts npx vitest run …` starts a new Postgres cluster, runs the command with its URL in
 * TREELINE_TEST_DATABASE_URL, and removes the cluster when the command has ended. It exits with the command's code.
 */
import { spawn } from 'node:child_process';
import { PostgresCluster } from '../../test/interop/peers/postgres.ts';
import { postgresProgram } from '../../test/interop/peers/program.ts';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: with-postgres.ts COMMAND [ARGUMENT…]');
  process.exit(2);
}
if (postgresProgram('initdb') === null) {
  console.error(`Postgres is not installed, did not run: ${command} ${args.join(' ')}`);
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}

const cluster = await PostgresCluster.start();
const child = spawn(command, args, {
  stdio: 'inherit',
  env: { ...process.env, TREELINE_TEST_DATABASE_URL: cluster.url },
});
// The terminal sends SIGINT to the command too: it ends, and then the cluster is removed.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.exitCode = await new Promise<number>((resolve) => {
  child.once('error', (error) => {
    console.error(`${command}: ${error.message}`);
    resolve(1);
  });
  child.once('exit', (code) => resolve(code ?? 1));
});
await cluster.stop();
