import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSpki } from '../../src/dtls/certificate.ts';
import { parseExtensions } from '../../src/dtls/extensions.ts';
import {
  parseCertificateChain,
  parseCertificateVerify,
  parseClientHello,
  parseEcdheKeyExchange,
  parseFragments,
  parsePskKeyExchange,
  parseRawPublicKey,
} from '../../src/dtls/messages.ts';
import { CONTENT, encodeRecord, parseRecords } from '../../src/dtls/record.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { certify, START } from './certificates.ts';
import type { ClientOptions } from './client.ts';
import { World } from './network.ts';

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

const device = certify('device', null);
const spki = createSpki(device.privateKey);
const identity = loadServerIdentity(createServerIdentity({ commonName: 'server', names: [], now: START, days: 30 }));
const rpk: Partial<ClientOptions> = {
  suites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
  certificate: { privateKey: device.privateKey, chain: [] },
  certificateType: 'RawPublicKey',
};

function newWorld(): World {
  return new World({
    settings: { identity },
    limits: { handshakes: 8, sessions: 8 },
    credentials: { rawPublicKey: async (key) => (spki.equals(key) ? { credential: 'rpk-1' } : null) },
  });
}

describe('parsers', () => {
  it.each([
    ['ClientHello', parseClientHello],
    ['extensions', parseExtensions],
    ['handshake fragments', parseFragments],
    ['Certificate', parseCertificateChain],
    ['raw public key', parseRawPublicKey],
    ['PSK ClientKeyExchange', parsePskKeyExchange],
    ['ECDHE ClientKeyExchange', parseEcdheKeyExchange],
    ['CertificateVerify', parseCertificateVerify],
  ])('of %s accept any bytes or refuse them with an alert', (_what, parse: (body: Buffer) => unknown) => {
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          parse(body);
        } catch (error) {
          expect(error).toMatchObject({
            name: 'DtlsError',
            code: expect.stringMatching(/^(decode_error|illegal_parameter)$/),
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of records return the encoded records, and never more bytes than the datagram contains', () => {
    const header = fc.record({
      type: fc.constantFrom(20, 21, 22, 23),
      epoch: fc.nat(0xffff),
      sequence: fc.nat(2 ** 48 - 1),
      cid: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(header, bytes), { maxLength: 5 }), bytes, (records, tail) => {
        const datagram = Buffer.concat(records.map(([one, body]) => encodeRecord(one, body)));
        expect(parseRecords(datagram)).toEqual(
          records.map(([one, fragment]) => ({ ...one, version: 0xfefd, fragment })),
        );
        const total = parseRecords(Buffer.concat([datagram, tail])).reduce(
          (sum, { fragment }) => sum + fragment.length,
          0,
        );
        expect(total).toBeLessThanOrEqual(datagram.length + tail.length);
      }),
    );
  });
});

describe('the state machine', () => {
  /** An attacker's action on one datagram of a device. */
  const deed = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: 'pass' } as const) },
    fc.constant({ kind: 'drop' } as const),
    fc.constant({ kind: 'double' } as const),
    fc.record({ kind: fc.constant('delay' as const), ms: fc.integer({ min: 1, max: 5_000 }) }),
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('replace' as const), with: bytes }),
    fc.record({
      kind: fc.constant('insert' as const),
      type: fc.constantFrom(...Object.values(CONTENT)),
      epoch: fc.nat(2),
      body: bytes,
    }),
  );

  it('never throws, grows or accepts an unknown device, even when an attacker changes the flights of a device', async () => {
    const run = fc.asyncProperty(
      fc.array(deed, { maxLength: 30 }),
      fc.constantFrom<Partial<ClientOptions>>({}, { cid: Buffer.alloc(8, 1) }, rpk),
      async (deeds, options) => {
        const world = newWorld();
        const client = world.client(options);
        const address = world.addressOf(client);
        let next = 0;
        world.weather = ({ toServer, datagram }) => {
          const todo = toServer ? deeds[next++] : undefined;
          if (todo === undefined) return [0];
          switch (todo.kind) {
            case 'pass':
              return [0];
            case 'drop':
              return [];
            case 'double':
              return [0, 1];
            case 'delay':
              return [todo.ms];
            case 'flip': {
              const copy = Buffer.from(datagram);
              const at = todo.at % copy.length;
              copy[at] = (copy[at] ?? 0) ^ todo.mask;
              world.engine.receive(address, copy);
              return [];
            }
            case 'cut':
              world.engine.receive(address, datagram.subarray(0, todo.at % datagram.length));
              return [];
            case 'replace':
              world.engine.receive(address, todo.with);
              return [];
            case 'insert': {
              const header = { type: todo.type, epoch: todo.epoch, sequence: 1, cid: null };
              world.engine.receive(address, encodeRecord(header, todo.body));
              return [0];
            }
          }
        };
        client.start();
        await world.clock.advance(150_000);
        client.stop();
        const { sessions, halfOpen, lookUps } = world.engine.metrics;
        expect({ halfOpen, lookUps }).toEqual({ halfOpen: 0, lookUps: 0 });
        expect(sessions).toBeLessThanOrEqual(1);
        const established = world.reports.filter(({ outcome }) => outcome.established);
        // Only devices with a key are accepted.
        for (const { credential } of established) expect(['psk-1', 'rpk-1']).toContain(credential);
        world.weather = () => [0];
        const calm = await world.connected(options, address);
        expect(calm.state).toBe('open');
        world.engine.shutDown();
        await world.clock.advance(1);
        expect(world.clock.pendingCount).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 150 });
  });

  it('survives the flights of one handshake in any order, duplicated and mixed with those of another', async () => {
    const recorded = await record({});
    const other = await record(rpk);
    const flights = fc.array(fc.constantFrom(...recorded, ...other), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(flights, async (datagrams) => {
        const world = newWorld();
        const client = world.client();
        client.start();
        for (const datagram of datagrams) {
          world.engine.receive(world.addressOf(client), datagram);
          await world.clock.advance(1);
        }
        await world.clock.advance(150_000);
        client.stop();
        expect(world.engine.metrics).toMatchObject({ halfOpen: 0, lookUps: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

async function record(options: Partial<ClientOptions>): Promise<Buffer[]> {
  const world = newWorld();
  const client = await world.connected(options);
  client.send(Buffer.from('reading'));
  return world.sent.filter(({ toServer }) => toServer).map(({ datagram }) => datagram);
}
