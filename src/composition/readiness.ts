import type { Clock } from '../clock.ts';
import type { Readiness } from '../server/index.ts';
import type { Store } from '../store/index.ts';
import type { PublisherSnapshot, Telemetry } from '../telemetry/index.ts';
import { probe } from './probe.ts';

/** Not ready without the database. Without the broker the process is ready: events wait in the outbox. */
export function createReadiness(
  store: Pick<Store, 'ping'>,
  telemetry: Pick<Telemetry, 'publisher'>,
  clock: Clock,
): () => Promise<Readiness> {
  const ping = probe(async () => {
    await store.ping();
    return 'ok';
  }, clock);
  return async () => {
    const database = await ping().then(
      (answer) => answer ?? 'does not respond',
      () => 'unreachable',
    );
    const broker = brokerText(telemetry.publisher());
    return { ready: database === 'ok', checks: { database, broker } };
  };
}

const TROUBLES = {
  connecting: 'connecting',
  unresponsive: 'does not respond, events wait',
  unreachable: 'unreachable, events wait',
} as const;

/** Names no topic, because it contains the tenant and everybody may read this. The log names it. */
function brokerText(publisher: PublisherSnapshot | null): string {
  if (publisher === null) return 'none';
  const { broker, refusedTopics } = publisher;
  if (broker !== 'ok') return TROUBLES[broker];
  const count = refusedTopics.length;
  return count === 0 ? 'ok' : `refuses ${count} ${count === 1 ? 'topic' : 'topics'}, events wait`;
}
