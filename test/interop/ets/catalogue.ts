import { readFileSync } from 'node:fs';

/** One case of the public interoperability list (OMA ETS), as facts. */
export interface EtsCase {
  readonly id: string;
  readonly title: string;
  readonly interface: string;
  /** Whether it is a case of LwM2M 1.0 too. */
  readonly in10: boolean;
  /** Whether its criteria judge the server itself. */
  readonly judged: boolean;
  readonly body: 'procedure' | 'placeholder' | 'delegated' | 'n/a';
  readonly note: string;
}

const file = new URL('../../data/ets.json', import.meta.url);

export const etsCases: readonly EtsCase[] = JSON.parse(readFileSync(file, 'utf8'));

const byId = new Map(etsCases.map((one) => [one.id, one]));

/** Who plays a case against the server. What we wrote ourselves counts apart. */
export type EtsClient = 'Leshan' | 'libcoap' | 'simulated device' | 'scripted client';

/**
 * The name of a test that plays a case: `LightweightM2M-1.1-int-101 [Leshan, 1.1 over UDP] Initial Registration`. The
 * scoreboard reads it back. Throws for an id that is not on the list.
 */
export function etsName(number: number, client: EtsClient, how: string): string {
  const id = etsCases.find(({ id: one }) => one.endsWith(`-int-${number}`))?.id;
  const known = id === undefined ? undefined : byId.get(id);
  if (known === undefined) throw new Error(`there is no case ${number}`);
  return `${known.id} [${client}, ${how}] ${known.title}`;
}

const NAME = /(LightweightM2M\S*-int-\d+) \[([^,\]]+), ([^\]]+)\]/;

/** What `etsName` made, or null. */
export function parseEtsName(name: string): { id: string; client: string; how: string } | null {
  const match = NAME.exec(name);
  const [, id, client, how] = match ?? [];
  return id !== undefined && client !== undefined && how !== undefined ? { id, client, how } : null;
}
