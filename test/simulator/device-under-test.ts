import { afterEach, beforeEach } from 'vitest';
import { decode, Path, registryModel } from '../../src/lwm2m/index.ts';
import type { TypedValue } from '../../src/lwm2m/index.ts';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import type { AccountOptions, DeviceOptions } from '../../src/simulator/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';
import type { CoapResponse } from './lwm2m-peer.ts';

export const TEMPERATURE = Path.parse('/3303/0/5700');
export const APPLICATION = Path.parse('/3303/0/5750');
export const text = (value: string): TypedValue => ({ type: 'String', value });
export const float = (value: number): TypedValue => ({ type: 'Float', value });

/** New for each test of a file that imports them. */
export let server: Lwm2mPeer;
export let clock: ManualClock;
export let device: SimulatedDevice;
export let log: string[];

/** Starts a registered device whose values don't change by themselves. */
export async function start({
  lifetime = 300,
  ...options
}: Partial<DeviceOptions> & { lifetime?: number } = {}): Promise<void> {
  device = new SimulatedDevice({
    endpoint: 'urn:imei:1',
    accounts: [accountAt(server.port, lifetime)],
    objects: [3303, 3304, 3323],
    clock,
    random: () => 0.5,
    driftMs: 0,
    log: (line) => log.push(line),
    ...options,
  });
  await device.start();
}

export function accountAt(port: number, lifetime = 300): AccountOptions {
  return { server: { host: '127.0.0.1', port }, shortServerId: 123, lifetime };
}

/** The values of a response as `path: value`. */
export function said(answer: CoapResponse, path: string): string[] {
  const { readings } = decode({
    contentFormat: answer.contentFormat ?? -1,
    payload: answer.payload,
    path: Path.parse(path),
    model: registryModel(),
    now: clock.now() / 1000,
  });
  return readings.map(({ path: place, value }) => `${place}: ${String(value)}`);
}

/** Sets the measured temperature. */
export function measure(value: number): void {
  device.tree.set(TEMPERATURE, float(value));
}

beforeEach(async () => {
  server = await Lwm2mPeer.start();
  clock = new ManualClock();
  log = [];
});

afterEach(async () => {
  await device.vanish();
  await server.stop();
});
