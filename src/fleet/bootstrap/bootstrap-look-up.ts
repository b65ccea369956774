import type { Clock } from '../../clock.ts';
import type { Store } from '../../store/index.ts';
import { createCredentialLookUp, type CredentialLookUp, type Seal } from '../credentials/index.ts';
import { createFactoryLookUp, type FactoryLookUp } from './factory-credentials.ts';

/** What a handshake and a Bootstrap-Request ask: credentials of devices for the bootstrap server, then factory ones. */
export interface BootstrapLookUp extends CredentialLookUp {
  readonly factory: FactoryLookUp['credential'];
}

export function createBootstrapLookUp(parts: { store: Store; clock: Clock; seal: Seal }): BootstrapLookUp {
  const devices = createCredentialLookUp({ ...parts, purpose: 'bootstrap' });
  const factory = createFactoryLookUp(parts);
  return {
    ...devices,
    async psk(identity) {
      const [own, made] = [await devices.psk(identity), await factory.psk(identity)];
      // Identities are of all tenants: whose it was first it stays.
      if (own && made) return own.since <= made.since ? own : made;
      return own ?? made;
    },
    factory: (id) => factory.credential(id),
  };
}
