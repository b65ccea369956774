import { afterEach, expect, it } from 'vitest';
import { createCoapEndpoint, UdpTransport } from '../../src/coap/index.ts';
import { systemClock } from '../../src/clock.ts';
import {
  createBootstrapServer,
  Path,
  registryModel,
  type BootstrapAdmission,
  type BootstrapOutcome,
  type PathValue,
} from '../../src/lwm2m/index.ts';
import { bootstrap } from '../../src/simulator/bootstrap-client.ts';
import { nothing } from '../coap/reading.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const security: readonly PathValue[] = [
  { path: Path.of(0, 0, 0), value: { type: 'String', value: 'coap://127.0.0.1:5683' } },
  { path: Path.of(0, 0, 1), value: { type: 'Boolean', value: false } },
  { path: Path.of(0, 0, 2), value: { type: 'Integer', value: 3 } },
  { path: Path.of(0, 0, 10), value: { type: 'Integer', value: 7 } },
];
const server: readonly PathValue[] = [
  { path: Path.of(1, 0, 0), value: { type: 'Integer', value: 7 } },
  { path: Path.of(1, 0, 1), value: { type: 'Integer', value: 120 } },
];

/** A bootstrap server that writes these values to every device and records how each bootstrap ended. */
async function serving(
  admission: Omit<Extract<BootstrapAdmission, { admitted: true }>, 'configuration'> | null,
  values: readonly PathValue[],
) {
  const transport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const endpoint = createCoapEndpoint({ transport, clock: systemClock });
  const steps: string[] = [];
  let settle: (outcome: BootstrapOutcome) => void = nothing;
  const ended = new Promise<BootstrapOutcome>((resolve) => {
    settle = resolve;
  });
  const configuration = { deletes: [Path.of(0), Path.of(1)], values, reads: [Path.of(1)] };
  const refused = { admitted: false, code: '4.00', reason: 'unknown device' } as const;
  createBootstrapServer({
    endpoints: [endpoint],
    clock: systemClock,
    onFault: (error) => steps.push(String(error)),
    handlers: {
      admit: async () => (admission ? { ...admission, configuration } : refused),
      stepped: async (_id, { operation, path, code }) => void steps.push(`${operation} ${path} ${code}`),
      ended: async (_id, outcome) => settle(outcome),
    },
  });
  closing.push(() => endpoint.close());
  return { at: { host: '127.0.0.1', port: transport.addresses[0]?.port ?? 0 }, steps, ended };
}

const ADMITTED = { admitted: true, bootstrapId: 'b1', deviceKey: 'dev1' } as const;

function client(at: { host: string; port: number }): ReturnType<typeof bootstrap> {
  const model = registryModel();
  return bootstrap({ endpoint: 'dev1', server: at, lwm2m: '1.1', model, clock: systemClock, log: () => {} });
}

it('gets its server and its lifetime from a bootstrap', async () => {
  const { at, steps, ended } = await serving(ADMITTED, [...security, ...server]);
  expect(await client(at)).toEqual({ uri: 'coap://127.0.0.1:5683', lifetime: 120, psk: null });
  expect(await ended).toEqual({ finished: true, lwm2mVersion: '1.1' });
  expect(steps).toEqual([
    'DISCOVER / 2.05',
    'DELETE /0 2.02',
    'DELETE /1 2.02',
    'WRITE /0/1 2.04',
    'WRITE /1/0 2.04',
    'READ /1 2.05',
    'FINISH /bs 2.04',
  ]);
});

it('LightweightM2M-1.1-int-9 [simulated device, 1.1 over UDP] Bootstrap and Configuration Consistency: refuses half an account', async () => {
  const { at, steps, ended } = await serving(ADMITTED, security);
  const refused = client(at);
  refused.catch(() => {});
  expect(await ended).toMatchObject({
    finished: false,
    reason: expect.stringContaining('refused Finish with 4.06 twice'),
  });
  expect(steps.filter((step) => step === 'FINISH /bs 4.06')).toHaveLength(2);
});

it('rejects with the reason of the refusal', async () => {
  const { at } = await serving(null, []);
  await expect(client(at)).rejects.toThrow('4.00 unknown device');
});
