/**
 * Reproduces the findings of docs/decisions/0001-own-coap-engine.md about the npm package `coap` (node-coap). Each
 * finding runs in a separate process, because some crash it: `node --import tsx scripts/node-coap-findings.ts [finding
 * …]`.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findings, type Evidence } from './node-coap-findings/findings.ts';

const TIME_LIMIT_MS = 60_000;

/** Runs one finding in a child process. A child that crashes or hangs is evidence too. */
function inChild(name: string): Promise<Evidence> {
  return new Promise((resolve) => {
    const script = fileURLToPath(new URL('node-coap-findings/child.ts', import.meta.url));
    const child = fork(script, [name], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 1, 'pipe', 'ipc'],
    });
    let evidence: Evidence | null = null;
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('message', (message: Evidence) => (evidence = message));
    const timer = setTimeout(() => {
      evidence ??= { reproduced: false, says: `no result in ${TIME_LIMIT_MS / 1000} s` };
      child.kill('SIGKILL');
    }, TIME_LIMIT_MS);
    child.on('exit', (code) => {
      clearTimeout(timer);
      const reason = /^\w*Error: .*$/m.exec(errors)?.[0] ?? `exit code ${code}`;
      resolve(evidence ?? { reproduced: findings[name]?.expectsCrash ?? false, says: `the process ended: ${reason}` });
    });
  });
}

const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : Object.keys(findings);
let missing = 0;
for (const name of names) {
  const finding = findings[name];
  if (!finding) throw new Error(`unknown finding ${name}, the findings are ${Object.keys(findings).join(', ')}`);
  const { reproduced, says } = await inChild(name);
  if (!reproduced) missing++;
  console.log(`${reproduced ? 'reproduced    ' : 'NOT reproduced'}  ${finding.claim}\n                ${says}`);
}
console.log(`${names.length - missing} of ${names.length} reproduced`);
process.exitCode = missing === 0 ? 0 : 1;
