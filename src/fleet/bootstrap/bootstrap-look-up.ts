import { and, eq, inArray, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { bootstraps, credentials, type Store } from '../../store/index.ts';
import type { DeviceId } from '../access/index.ts';
import { createCredentialLookUp, type CredentialLookUp, type Seal } from '../credentials/index.ts';
import { createFactoryLookUp, type FactoryLookUp } from './factory-credentials.ts';

/** Look-ups for a handshake and a Bootstrap-Request: bootstrap credentials of devices, then factory credentials. */
export interface BootstrapLookUp extends CredentialLookUp {
  /**
   * Which of the devices must not bootstrap without security: those that have, or had, a credential of any purpose. The
   * unused keys of a bootstrap without security that did not finish do not count: its device must be able to repeat it.
   */
  readonly secured: CredentialLookUp['secured'];
  /** By the id of a factory credential. */
  readonly factory: FactoryLookUp['credential'];
}

/** Creates the look-ups of the bootstrap server. */
export function createBootstrapLookUp(parts: { store: Store; clock: Clock; seal: Seal }): BootstrapLookUp {
  const devices = createCredentialLookUp({ ...parts, purpose: 'bootstrap' });
  const factory = createFactoryLookUp(parts);
  return {
    ...devices,
    async psk(identity) {
      const [own, made] = [await devices.psk(identity), await factory.psk(identity)];
      // All tenants share the identities: the older credential keeps its identity.
      if (own && made) return own.since <= made.since ? own : made;
      return own ?? made;
    },
    async secured(tx, deviceIds) {
      const rows = await tx
        .selectDistinct({ deviceId: credentials.deviceId })
        .from(credentials)
        .leftJoin(bootstraps, eq(bootstraps.id, credentials.bootstrapId))
        .where(
          and(
            inArray(credentials.deviceId, [...deviceIds]),
            or(
              isNotNull(credentials.usedAt),
              // The record of the bootstrap is missing, or the credential came from no bootstrap.
              isNull(bootstraps.id),
              isNotNull(bootstraps.security),
              sql`${bootstraps.status} not in ('RUNNING', 'FAILED')`,
            ),
          ),
        );
      return new Set(rows.map(({ deviceId }) => deviceId as DeviceId)); // the column contains only device ids
    },
    factory: (id) => factory.credential(id),
  };
}
