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
const TRANSPORTS = ['UDP', 'DTLS', 'TCP', 'TLS'] as const;
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
  const countOver = (transport: string): number =>
    passed.filter(({ id }) => passedOver(plays.get(id) ?? []).includes(transport)).length;
  const gaps = withProcedure.length - passed.length - failed.length - explained.length;
  return `# Interoperability scoreboard

Written by \`npm run test:peers\`: do not edit. The cases are those of the public interoperability list of LwM2M (OMA ETS, 1.0 to 1.2); each test that plays one carries its id.

| cases with a procedure | passed | of them by a client that we did not write | by our own clients only | failed | can't be played here | not played |
|---|---|---|---|---|---|---|
| ${withProcedure.length} | ${passed.length} | ${independent.length} | ${passed.length - independent.length} | ${failed.length} | ${explained.length} | ${gaps} |

Passed over ${TRANSPORTS.map((transport) => `${transport}: ${countOver(transport)}`).join(', ')}. The other ${etsCases.length - withProcedure.length} ids have no procedure of their own (placeholders, or delegated to another case).
Leshan is Eclipse Leshan's client library with a small main of ours, over TCP and TLS on Californium's connectors; libcoap is its coap-client; the simulated device (\`treeline device\`) and scripted clients are ours.

| id | title | played by | passed over | result |
|---|---|---|---|---|
${withProcedure.map((one) => row(one, plays.get(one.id))).join('\n')}
`;
}

function row({ id, title }: EtsCase, plays: readonly Play[] = []): string {
  const result = plays.length === 0 ? (reason(id) ?? 'not played') : (verdict(plays) ?? '');
  return `| ${id} | ${title} | ${players(plays)} | ${passedOver(plays).join(', ')} | ${result} |`;
}

/** `Leshan (1.0 and 1.1 over UDP, 1.1 over TCP); libcoap (1.1 over UDP)`. */
function players(plays: readonly Play[]): string {
  const clients = [...new Set(plays.map(({ client }) => client))].sort();
  return clients
    .map((client) => {
      const versions = new Map<string, Set<string>>();
      for (const play of plays) {
        const [version = '', over = ''] = play.how.split(' over ');
        if (play.client === client) versions.set(over, (versions.get(over) ?? new Set()).add(version));
      }
      const ways = [...versions].map(([over, spoken]) => `${[...spoken].sort().join(' and ')} over ${over}`);
      return `${client} (${ways.join(', ')})`;
    })
    .join('; ');
}

function passedOver(plays: readonly Play[]): string[] {
  const ways = plays.filter(({ result }) => result === 'passed').map(({ how }) => how.split(/[^A-Z]+/));
  return TRANSPORTS.filter((transport) => ways.some((words) => words.includes(transport)));
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
