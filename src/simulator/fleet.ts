import { SimulatedDevice } from './device.ts';
import type { DeviceOptions } from './device.ts';

const AT_ONCE = 50;

export interface FleetOptions extends DeviceOptions {
  readonly count: number;
}

/** Runs many devices in one process, `endpoint-1` to `endpoint-N`, each with its own port. */
export class Fleet {
  readonly devices: readonly SimulatedDevice[];

  constructor({ count, log = () => {}, ...options }: FleetOptions) {
    this.devices = Array.from({ length: count }, (_, index) => {
      const endpoint = `${options.endpoint}-${index + 1}`;
      return new SimulatedDevice({ ...options, endpoint, log: (line) => log(`${endpoint} ${line}`) });
    });
  }

  /** Registers the devices, 50 at a time. Resolves when each has tried once. */
  async start(): Promise<void> {
    await this.#each((device) => device.start());
  }

  async stop(): Promise<void> {
    await this.#each((device) => device.stop());
  }

  async #each(task: (device: SimulatedDevice) => Promise<void>): Promise<void> {
    for (let at = 0; at < this.devices.length; at += AT_ONCE) {
      await Promise.all(this.devices.slice(at, at + AT_ONCE).map(task));
    }
  }
}
