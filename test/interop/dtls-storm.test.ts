import { afterEach, beforeEach, expect, it } from 'vitest';
import { seededRandom } from '../dtls/network.ts';
import { Relay } from '../dtls/relay.ts';
import { PSK, serveRegistrations, Serving } from '../dtls/serving.ts';
import { storm } from '../dtls/storm.ts';
import { CoapDevice, gnutlsClient, LeshanDevice, opensslClient, PeerProcess, requirePeer } from './peers/index.ts';

/** Part of the test's name. With the same seed, each device's datagrams meet the same again. */
const SEED = Number(process.env['TREELINE_TEST_SEED'] ?? 20_261_122);
const AT_ONCE = 25;
/** Longer than any of these clients tries: OpenSSL goes on for minutes, GnuTLS for one. */
const PATIENCE = { timeoutMs: 100_000 };

/** A key that can be said as text: libcoap's device takes no other. */
const TEXT_PSK = { identity: 'stormy', key: 'key of 16 bytes.' };
const KEY_HEX = PSK.key.toString('hex');

/** One for the programs that carry lines of text, one for devices that speak CoAP. */
let lines: Serving;
let devices: Serving;
/** Who waits for a line to be heard. */
const hearing = new Map<string, () => void>();

beforeEach(async () => {
  lines = await Serving.start();
  lines.server.onDatagram((_from, data) => {
    hearing.get(Buffer.from(data).toString().trim())?.();
  });
  devices = await Serving.start({
    credentials: {
      psk: async () => ({ key: Buffer.from(TEXT_PSK.key), credential: 'psk' }),
      rawPublicKey: async () => null,
      certificate: async () => ({ refused: 'unknown_ca', reason: 'no anchors' }),
    },
  });
  serveRegistrations(devices.server);
});

afterEach(async () => {
  await lines.stop();
  await devices.stop();
});

/** The device of that number; resolves when its handshake has ended well on both sides. */
type Device = (number: number) => Promise<void>;

/** Leads to a server through the storm of that device. */
async function stormyRelay({ port }: Serving, number: number): Promise<Relay> {
  const relay = await Relay.start(port);
  relay.carry = storm(seededRandom(SEED + number));
  return relay;
}

/** A program whose handshake has ended when it says so; then, in fair weather, the server hears a line of it. */
function program(words: (port: number) => [string, ...string[]], ended: RegExp): Device {
  return async (number) => {
    const relay = await stormyRelay(lines, number);
    const [command, ...args] = words(relay.port);
    const peer = new PeerProcess(`${command} ${number}`, command, args);
    try {
      await peer.waitFor(ended, PATIENCE);
      relay.carry = (_datagram, _direction, deliver) => deliver();
      const line = `register ${number}`;
      const arrived = new Promise<void>((resolve) => hearing.set(line, resolve));
      peer.write(line);
      await arrived;
    } finally {
      await peer.kill();
      relay.stop();
    }
  };
}

/** A device that registers, by CoAP in the same storm. */
function device(start: (port: number, endpoint: string) => PeerProcess): Device {
  return async (number) => {
    const relay = await stormyRelay(devices, number);
    const peer = start(relay.port, `device-${number}`);
    try {
      await peer.waitFor(/^REGISTERED /, PATIENCE);
    } finally {
      await peer.kill();
      relay.stop();
    }
  };
}

/** With -nbio: else it waits for the server's next record, deaf to us, when it has dropped a late one. */
function openssl(cipher: string, ...credentials: string[]): Device {
  const words = (port: number): string[] => [...opensslClient(port, cipher), '-nbio', ...credentials];
  return program((port) => ['openssl', ...words(port)], /^SSL handshake has read/);
}

/** By lines: to a pipe it would say nothing until it has heard something. */
function gnutls(keyExchange: string, ...credentials: string[]): Device {
  return program(
    (port) => ['stdbuf', '-oL', 'gnutls-cli', ...gnutlsClient(port, keyExchange, 'AES-128-CCM-8'), ...credentials],
    /^- Handshake was completed/,
  );
}

function leshan(options: { readonly connectionIdLength?: number }): Device {
  const psk = { identity: TEXT_PSK.identity, keyHex: Buffer.from(TEXT_PSK.key).toString('hex') };
  return device(
    (port, endpoint) => new LeshanDevice({ serverUri: `coaps://127.0.0.1:${port}`, endpoint, psk, ...options }),
  );
}

function libcoap(library: 'openssl' | 'gnutls'): Device {
  return device((port, endpoint) => new CoapDevice(library, { port, psk: TEXT_PSK, endpoint, model: 'stormy' }));
}

function hundredDevices(): Device[] {
  const certificate = [
    '-cert',
    lines.file('device.pem'),
    '-cert_chain',
    lines.file('factory.pem'),
    '-key',
    lines.file('device.key'),
  ];
  const rawPublicKey = ['--rawpkkeyfile', lines.file('device.key'), '--rawpkfile', lines.file('device-spki.pem')];
  // First who takes longest to start.
  const kinds: [number, Device][] = [
    [3, leshan({})],
    [3, leshan({ connectionIdLength: 6 })],
    [30, openssl('PSK-AES128-CCM8', '-psk_identity', PSK.identity, '-psk', KEY_HEX)],
    [
      20,
      openssl('ECDHE-ECDSA-AES128-CCM8', ...certificate, '-CAfile', lines.file('server.pem'), '-verify_return_error'),
    ],
    [15, gnutls('+PSK:+CTYPE-X509', '--pskusername', PSK.identity, '--pskkey', KEY_HEX)],
    [15, gnutls('+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK', ...rawPublicKey)],
    [7, libcoap('openssl')],
    [7, libcoap('gnutls')],
  ];
  return kinds.flatMap(([count, kind]) => Array.from({ length: count }, () => kind));
}

requirePeer(
  'openssl',
  'gnutls',
  'libcoap',
  'leshan',
)('where 30% of datagrams are lost, doubled, late or overtaken', () => {
  it(`100 of 100 handshakes of OpenSSL, GnuTLS, libcoap and Leshan end (seed ${SEED})`, async () => {
    const waiting = hundredDevices().entries();
    const ended: number[] = [];
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (const [number, connect] of waiting) {
        await connect(number).then(
          () => ended.push(number),
          (error: unknown) => failures.push(error),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(failures).toEqual([]);
    expect(ended).toHaveLength(100);
  }, 300_000);
});
