import type { Clock } from '../clock.ts';
import type { Readiness } from '../server/index.ts';
import type { Store } from '../store/index.ts';
import type { Telemetry } from '../telemetry/index.ts';
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
    const publisher = telemetry.publisher();
    const broker = publisher === null ? 'none' : publisher.brokerReachable ? 'ok' : 'unreachable, events wait';
    return { ready: database === 'ok', checks: { database, broker } };
  };
}
