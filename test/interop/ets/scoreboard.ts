import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { etsCases, parseEtsName, type EtsCase } from './catalogue.ts';
import { unplayed } from './unplayed.ts';

interface Play {
  readonly client: string;
  readonly how: string;
  readonly result: 'passed' | 'failed' | 'skipped';
}

const FILE = 'docs/scoreboard.md';
/** Clients that we did not write. */
const INDEPENDENT: readonly string[] = ['Leshan', 'libcoap'];

/**
 * Writes docs/scoreboard.md from the tests whose names carry ids of the interoperability list. A reporter of vitest:
 * `vitest run --project peers --reporter=default --reporter=./test/interop/ets/scoreboard.ts`.
 */
export default class Scoreboard implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const plays = new Map<string, Play[]>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const named = parseEtsName(test.name);
        const { state } = test.result();
        if (named === null || state === 'pending') continue;
        const played = plays.get(named.id) ?? [];
        played.push({ client: named.client, how: named.how, result: state });
        plays.set(named.id, played);
      }
    }
    if (plays.size > 0) writeFileSync(FILE, scoreboard(plays));
  }
}

function scoreboard(plays: ReadonlyMap<string, readonly Play[]>): string {
  const withProcedure = etsCases.filter(({ body }) => body === 'procedure');
  const passed = withProcedure.filter(({ id }) => verdict(plays.get(id)) === 'passed');
  const independent = passed.filter(({ id }) => plays.get(id)?.some(isIndependent));
  const failed = withProcedure.filter(({ id }) => verdict(plays.get(id)) === 'failed');
  const explained = withProcedure.filter(({ id }) => !plays.has(id) && reason(id) !== undefined);
  const gaps = withProcedure.length - passed.length - failed.length - explained.length;
  return `# Interoperability scoreboard

Written by \`npm run test:peers\`: do not edit. The cases are those of the public interoperability list of LwM2M (OMA ETS, 1.0 to 1.2); each test that plays one carries its id.

| cases with a procedure | passed | of them by a client that we did not write | by our own clients only | failed | can't be played here | not played |
|---|---|---|---|---|---|---|
| ${withProcedure.length} | ${passed.length} | ${independent.length} | ${passed.length - independent.length} | ${failed.length} | ${explained.length} | ${gaps} |

The other ${etsCases.length - withProcedure.length} ids have no procedure of their own (placeholders, or delegated to another case).
Leshan is Eclipse Leshan's client library with a small main of ours; libcoap is its coap-client; the simulated device (\`treeline device\`) and scripted clients are ours.

| id | title | played by | result |
|---|---|---|---|
${withProcedure.map((one) => row(one, plays.get(one.id))).join('\n')}
`;
}

function row({ id, title }: EtsCase, plays: readonly Play[] | undefined): string {
  const by =
    plays === undefined ? '' : [...new Set(plays.map(({ client, how }) => `${client} (${how})`))].sort().join('; ');
  const result = plays === undefined ? (reason(id) ?? 'not played') : (verdict(plays) ?? '');
  return `| ${id} | ${title} | ${by} | ${result} |`;
}

/** A case has passed when every client that played it passed. */
function verdict(plays: readonly Play[] | undefined): Play['result'] | undefined {
  if (plays === undefined) return undefined;
  if (plays.some(({ result }) => result === 'failed')) return 'failed';
  return plays.some(({ result }) => result === 'passed') ? 'passed' : 'skipped';
}

function isIndependent({ client, result }: Play): boolean {
  return result === 'passed' && INDEPENDENT.includes(client);
}

function reason(id: string): string | undefined {
  return unplayed[Number(id.slice(id.lastIndexOf('-') + 1))];
}
