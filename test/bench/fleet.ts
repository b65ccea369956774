/**
 * Measures the cost of a fleet: `treeline serve` on the embedded database (or on Postgres, when started by
 * scripts/peers/with-postgres.ts), with devices that register, update and notify as fast as they get responses.
 * `node --import tsx test/bench/fleet.ts [devices]`.
 */
import { freshInstallation, runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { LoadDevice } from './fleet-load.ts';

const DEVICES = 2_000;
/** The number of simultaneous requests. */
const WINDOW = 256;
const NOTIFICATIONS = 4;
const MIB = 1024 * 1024;

interface Sample {
  readonly at: number;
  /** The CPU time of the server's process. It includes the embedded database, but not Postgres. */
  readonly cpuSeconds: number;
  readonly resident: number;
}

const count = Number(process.argv[2] ?? DEVICES);
const onPostgres = process.env['TREELINE_TEST_DATABASE_URL'] !== undefined;
const installation = await freshInstallation();
const settings = {
  ...installation.settings,
  TREELINE_LOG_LEVEL: 'warn',
  TREELINE_AUTO_PROVISION: 'true',
  TREELINE_AUTO_PROVISION_PER_NETWORK: '1000000',
  TREELINE_AUTO_PROVISION_TOTAL: '1000000',
  // The few devices of a short run notify more often than real ones.
  TREELINE_DEVICE_READINGS_PER_SECOND: '1000000',
};
let treeline = await runTreeline(settings);
try {
  const devices: LoadDevice[] = [];
  for (let index = 0; index < count; index++) {
    devices.push(await LoadDevice.open(`urn:dev:os:load-${index}`, treeline.coap.port));
  }
  console.log(`${count} devices over UDP, ${onPostgres ? 'on Postgres' : 'on the embedded database'}`);
  const before = await sample(treeline);
  await measure('registered and observed', count, (index) => devices[index]?.register());
  const after = await sample(treeline);
  console.log(`resident ${(before.resident / MIB).toFixed(0)} → ${(after.resident / MIB).toFixed(0)} MiB`);
  await measure('updated', count, (index) => devices[index]?.update());
  await measure('readings stored', count * NOTIFICATIONS, (index) =>
    devices[index % count]?.notify(20 + index / 10_000),
  );
  for (const device of devices) device.close();
  await treeline.stop();
  const stopped = performance.now();
  treeline = await runTreeline(settings);
  console.log(`serves again with all of them after ${((performance.now() - stopped) / 1000).toFixed(1)} s`);
} finally {
  await treeline.stop();
  await installation.drop();
}

async function measure(what: string, times: number, ask: (index: number) => Promise<void> | undefined): Promise<void> {
  const before = await sample(treeline);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < times) await ask(next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
  const after = await sample(treeline);
  const seconds = (after.at - before.at) / 1000;
  const cpu = after.cpuSeconds - before.cpuSeconds;
  console.log(
    `${what.padEnd(24)} ${(times / seconds).toFixed(0).padStart(7)} a second, ${((cpu / times) * 1e3).toFixed(2)} ms of CPU each`,
  );
}

async function sample({ metrics }: TreelineProcess): Promise<Sample> {
  const page = await metrics();
  const value = (name: string): number => Number(new RegExp(`^${name} ([0-9.e+]+)$`, 'm').exec(page)?.[1]);
  return {
    at: performance.now(),
    cpuSeconds: value('process_cpu_seconds_total'),
    resident: value('process_resident_memory_bytes'),
  };
}
