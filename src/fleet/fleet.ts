import type { Access } from './access/index.ts';
import type { Bootstraps } from './bootstrap/index.ts';
import type { Credentials, Handshakes } from './credentials/index.ts';
import type { Devices, Watching } from './inventory/index.ts';
import type { Definitions } from './objects/index.ts';
import type { RegistrationProblems } from './presence/index.ts';
import type { RegistrationProfiles, Profiles } from './profiles/index.ts';
import type { Rpcs } from './rpcs/index.ts';

/** The functions of the fleet that the GraphQL schema calls. */
export interface Fleet {
  readonly access: Access;
  readonly devices: Devices;
  readonly profiles: Profiles;
  readonly definitions: Definitions;
  readonly registrationProfiles: Pick<RegistrationProfiles, 'page' | 'set' | 'delete'>;
  readonly rpcs: Rpcs;
  readonly watching: Watching;
  readonly credentials: Credentials;
  readonly handshakes: Handshakes;
  readonly bootstraps: Bootstraps;
  readonly registrationProblems: RegistrationProblems;
}
