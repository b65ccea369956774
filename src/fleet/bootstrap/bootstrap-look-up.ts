import type { Clock } from '../../clock.ts';
import type { Store } from '../../store/index.ts';
import { createCredentialLookUp, type CredentialLookUp, type Seal } from '../credentials/index.ts';
import { createFactoryLookUp, type FactoryLookUp } from './factory-credentials.ts';

/** Look-ups for a handshake and a Bootstrap-Request: bootstrap credentials of devices, then factory credentials. */
export interface BootstrapLookUp extends CredentialLookUp {
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
    factory: (id) => factory.credential(id),
  };
}
