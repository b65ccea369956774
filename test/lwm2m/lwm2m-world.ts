import type { CoapEndpoint } from '../../src/coap/index.ts';
import {
  createLwm2mServer,
  type Lwm2mServerSettings,
  type Operation,
  type OperationResult,
  type PerformOptions,
  type RunningLwm2mServer,
} from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { ScriptedDevice, SERVER } from './scripted-device.ts';

/** A server, its handlers and one device on a simulated network. */
export interface World {
  readonly network: SimulatedNetwork;
  readonly endpoint: CoapEndpoint;
  readonly handlers: RecordingHandlers;
  readonly server: RunningLwm2mServer;
  readonly device: ScriptedDevice;
  readonly faults: string[];
  advance(ms: number): Promise<void>;
  /** Performs an operation on `dev1` and waits a round trip (or `ms`) for its result. */
  perform(operation: Operation, options?: PerformOptions & { ms?: number }): Promise<OperationResult>;
}

export async function world(settings: Partial<Lwm2mServerSettings> = {}): Promise<World> {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER);
  const handlers = new RecordingHandlers();
  const faults: string[] = [];
  const server = createLwm2mServer({
    endpoints: [{ endpoint, transport: 'udp' }],
    handlers,
    clock: network.clock,
    settings,
    onFault: (_error, message) => faults.push(message),
  });
  await server.start({ registrations: [], observations: [] });
  const device = new ScriptedDevice(network);
  return {
    network,
    endpoint,
    handlers,
    server,
    device,
    faults,
    advance: (ms) => network.clock.advance(ms),
    async perform(operation, { ms = 10, ...options } = {}) {
      const result = server.perform('dev1', operation, options);
      // The caller handles the rejection after the clock has advanced.
      result.catch(() => {});
      await network.clock.advance(ms);
      return result;
    },
  };
}

/** The query of a Register as `dev1` with LwM2M 1.1. */
export const DEV1 = ['ep=dev1', 'lt=300', 'lwm2m=1.1'] as const;
