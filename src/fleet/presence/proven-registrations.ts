import type { EventBus, Subscription } from '../../events/index.ts';
import type { Lwm2mServer } from '../../lwm2m/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
import type { CredentialEvents } from '../credentials/index.ts';

/** The services that endUnprovenRegistrations uses. */
interface Parts {
  readonly bus: EventBus<CredentialEvents>;
  readonly lwm2m: () => Lwm2mServer;
  readonly log: Log;
}

/**
 * Ends registrations that their device could not make again. A registration with security ends with the credential that
 * the device used. A registration over NoSec ends as soon as the device gets a credential. Runs until the bus closes.
 */
export function endUnprovenRegistrations({ bus, lwm2m, log }: Parts): void {
  async function end(tenantId: TenantId, deviceId: DeviceId, usedCredential: string | null): Promise<void> {
    const key = deviceKey(tenantId, deviceId);
    const registration = lwm2m().registration(key);
    if (registration === undefined || (registration.peer.security?.credential ?? null) !== usedCredential) return;
    try {
      await lwm2m().remove(key);
    } catch (error) {
      log.error(
        { err: error, deviceId },
        'a registration that lost its credential, or has to have one now, could not be ended',
      );
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
