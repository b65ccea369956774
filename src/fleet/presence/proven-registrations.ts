import type { EventBus, Subscription } from '../../events/index.ts';
import type { Lwm2mServer } from '../../lwm2m/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
import type { CredentialEvents } from '../credentials/index.ts';

interface Parts {
  readonly bus: EventBus<CredentialEvents>;
  readonly lwm2m: () => Lwm2mServer;
  readonly log: Log;
}

/**
 * A registration stands no longer than what let it in: it ends with the credential that proved it, and without one as
 * soon as its device has to prove itself. Ends when the bus closes.
 */
export function endUnprovenRegistrations({ bus, lwm2m, log }: Parts): void {
  async function end(tenantId: TenantId, deviceId: DeviceId, letInBy: string | null): Promise<void> {
    const key = deviceKey(tenantId, deviceId);
    const registration = lwm2m().registration(key);
    if (registration === undefined || (registration.peer.security?.credential ?? null) !== letInBy) return;
    try {
      await lwm2m().remove(key);
    } catch (error) {
      log.error({ err: error, deviceId }, 'a registration whose credential was revoked could not be ended');
    }
  }
  void each(bus.subscribe('credentialEnded', null), async ({ tenantId, deviceId, credentialId }) => {
    if (deviceId !== null) await end(tenantId, deviceId, credentialId);
  });
  void each(bus.subscribe('credentialCreated', null), ({ tenantId, deviceId }) => end(tenantId, deviceId, null));
}

async function each<T>(events: Subscription<T>, take: (value: T) => Promise<void>): Promise<void> {
  for await (const event of events) if (event.kind === 'event') await take(event.value);
}
