import type { AccessEvents } from './access/index.ts';
import type { BootstrapEvents } from './bootstrap/index.ts';
import type { CredentialEvents } from './credentials/index.ts';
import type { DeviceEvents } from './devices/index.ts';
import type { ReadingEvents } from './readings/index.ts';
import type { RpcEvents } from './rpcs/index.ts';

/** The topics of the event bus. Each module declares its topics, with the type and the key of each event. */
export interface FleetEvents
  extends AccessEvents, BootstrapEvents, CredentialEvents, DeviceEvents, ReadingEvents, RpcEvents {}
