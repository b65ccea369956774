import type { Readiness } from '../server/index.ts';
import type { Store } from '../store/index.ts';
import type { Telemetry } from '../telemetry/index.ts';

/** Not ready without the database. Without the broker the process is ready: events wait in the outbox. */
export async function readinessOf(store: Store, telemetry: Telemetry): Promise<Readiness> {
  const publisher = telemetry.publisher();
  const broker = publisher === null ? 'none' : publisher.brokerReachable ? 'ok' : 'unreachable, events wait';
  try {
    await store.ping();
    return { ready: true, checks: { database: 'ok', broker } };
  } catch {
    return { ready: false, checks: { database: 'unreachable', broker } };
  }
}
