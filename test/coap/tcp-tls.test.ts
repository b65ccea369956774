import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpTransport, type SecurityIdentity } from '../../src/coap/index.ts';
import { NO_BYTES } from '../../src/coap/message.ts';
import { createServerIdentity } from '../../src/dtls/index.ts';
import { type Authority, CA_EXTENSIONS, certify, START } from '../dtls/certificates.ts';
import { ManualClock } from '../manual-clock.ts';
import { nothing } from './reading.ts';
import { StreamClient } from './stream-client.ts';

const server = createServerIdentity({ commonName: 'server', names: ['localhost'], now: START, days: 10 });
const root = certify('Root', null);
const intermediate = certify('Intermediate', root, { extensions: CA_EXTENSIONS });
const device = certify('device', intermediate);

type Verdict = Promise<SecurityIdentity | null>;
/** Node supports `allowHalfOpen`, but its types lack it. */
type Options = ConnectionOptions & { readonly allowHalfOpen?: boolean };
const admitted: SecurityIdentity = { kind: 'x509', name: 'device', credential: 'c' };

describe('CoAP over TLS', () => {
  let clock: ManualClock;
  let transport: TcpTransport;
  let port: number;
  /** The number of certificates in each look-up. */
  let chains: number[];
  /** What the last look-up was about. */
  let lastChain: readonly Uint8Array[];
  let verdict: () => Verdict;
  let heard: number;
  const sockets: { destroy(): void }[] = [];

  beforeEach(async () => {
    chains = [];
    heard = 0;
    verdict = async () => admitted;
    clock = new ManualClock();
    const identify = (chain: readonly Uint8Array[]): Verdict => {
      chains.push(chain.length);
      lastChain = chain;
      return verdict();
    };
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0, clock, tls: { ...server, identify } });
    transport.onDatagram(() => heard++);
    port = transport.addresses[0]?.port ?? 0;
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await transport.close();
  });

  function dial(options: Options = {}): TLSSocket {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['coap'],
      cert: [device, intermediate].map(pemOf).join(''),
      key: keyOf(device),
      ...options,
    });
    sockets.push(socket);
    return socket;
  }

  /** An admitted connection: it has received the server's Capabilities and Settings Message. */
  async function connected(options: Options = {}): Promise<StreamClient> {
    const client = new StreamClient(dial(options));
    expect(await client.next()).toMatchObject({ code: 0xe1 });
    client.send(0xe1, NO_BYTES, []);
    client.send(0xe2, NO_BYTES, []);
    expect(await client.next()).toMatchObject({ code: 0xe3 });
    return client;
  }

  /** Makes look-ups wait from now on. `asked` resolves with the next one. */
  function hold() {
    const answers: ((verdict: SecurityIdentity | null) => void)[] = [];
    let wake = nothing;
    verdict = () =>
      new Promise((resolve) => {
        answers.push(resolve);
        wake();
      });
    return {
      async asked(count: number): Promise<void> {
        while (answers.length < count) await new Promise<void>((resolve) => (wake = resolve));
      },
      answer: (): void => answers.splice(0).forEach((resolve) => resolve(admitted)),
    };
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes no session of %s, so that it gets the whole chain each time',
    async (maxVersion) => {
      const first = dial({ maxVersion });
      let session: Buffer | undefined;
      first.on('session', (offered) => (session = offered));
      await once(first, 'data');
      // In TLS 1.3 the session arrives after the handshake and before the Pong.
      first.write(Buffer.of(0, 0xe1, 0, 0xe2));
      await once(first, 'data');
      expect(session).toBeInstanceOf(Buffer);
      const second = dial({ maxVersion, session });
      await once(second, 'data');
      expect([second.getProtocol(), second.isSessionReused()]).toEqual([maxVersion, false]);
      expect(chains).toEqual([2, 2]);
    },
  );

  it("shows the look-up the client's own certificate first, then its issuers", async () => {
    await connected();
    expect(lastChain).toEqual([device.certificate, intermediate.certificate]);
  });

  it('shows the look-up a certificate that is its own issuer once', async () => {
    const own = certify('own', null);
    await connected({ cert: pemOf(own), key: keyOf(own) });
    expect(lastChain).toEqual([own.certificate]);
  });

  it('asks about a client without a certificate with an empty chain, and does not let it in', async () => {
    verdict = async () => null;
    await once(dial({ cert: '', key: '' }).resume(), 'close');
    expect([chains, transport.connections]).toEqual([[0], 0]);
  });

  it.each([
    [8, 8],
    [9, 8],
    [12, 8],
  ])('shows of a chain of %i certificates the first %i to the look-up', async (length, shown) => {
    const chain = [root];
    while (chain.length <= length) {
      chain.unshift(certify(`Level ${chain.length}`, chain[0] ?? root, { extensions: CA_EXTENSIONS }));
    }
    const [own = root] = chain;
    const sent = chain.slice(0, length);
    await connected({ cert: sent.map(pemOf).join(''), key: keyOf(own) });
    expect(lastChain).toEqual(sent.slice(0, shown).map(({ certificate }) => certificate));
  });

  it('leaves no timer behind when the look-up has answered', async () => {
    await connected();
    const timers = clock.pendingCount;
    await connected();
    expect(clock.pendingCount).toBe(timers);
    const look = hold();
    dial();
    await look.asked(1);
    expect(clock.pendingCount).toBe(timers + 1);
    look.answer();
  });

  it('refuses a handshake for another protocol than CoAP (RFC 8323 §8.2)', async () => {
    const [error] = await once(dial({ ALPNProtocols: ['http/1.1'] }), 'error');
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
    expect(chains).toEqual([]);
  });

  it('admits no client whose look-up throws, fails, or takes half a minute', async () => {
    verdict = () => {
      throw new Error('out of order');
    };
    await once(dial().resume(), 'close');
    verdict = async () => Promise.reject(new Error('out of order'));
    await once(dial().resume(), 'close');
    const look = hold();
    const closed = once(dial().resume(), 'close');
    await look.asked(1);
    await clock.advance(30_000);
    await closed;
    look.answer();
    expect(transport.connections).toBe(0);
  });

  it('handles a client that disconnects during its look-up, with a revocation at the same time', async () => {
    const look = hold();
    const gone = dial();
    await look.asked(1);
    gone.destroy();
    // When this look-up starts, the server knows that the other client has disconnected.
    const stays = new StreamClient(dial());
    await look.asked(2);
    transport.endSessions('of somebody else');
    look.answer();
    await look.asked(1);
    look.answer();
    expect(await stays.next()).toMatchObject({ code: 0xe1 });
    expect(transport.connections).toBe(1);
  });

  it('rechecks the other connections when one closes meanwhile', async () => {
    await connected();
    const second = await connected();
    const look = hold();
    const gone = new Promise<void>((resolve) => transport.onPeerGone(() => resolve()));
    const rechecked = transport.recheckCertificates();
    await look.asked(1);
    second.socket.destroy();
    await gone;
    look.answer();
    await rechecked;
    expect(transport.connections).toBe(1);
  });

  it('closes a connection immediately when its certificate is no longer valid', async () => {
    const client = await connected();
    verdict = async () => null;
    await transport.recheckCertificates();
    expect(transport.connections).toBe(0);
    expect(await client.next()).toMatchObject({ code: 0xe4 });
  });

  it('repeats a look-up that failed in a recheck once, a second later', async () => {
    await connected();
    verdict = async () => Promise.reject(new Error('out of order'));
    const rechecked = transport.recheckCertificates();
    await clock.advance(999);
    expect([chains.length, transport.connections]).toEqual([2, 1]);
    verdict = async () => admitted;
    await clock.advance(1);
    await rechecked;
    expect([chains.length, transport.connections]).toEqual([3, 1]);
  });

  it('closes a connection whose look-up fails twice or times out twice', async () => {
    await connected();
    verdict = async () => Promise.reject(new Error('out of order'));
    const failed = transport.recheckCertificates();
    await clock.advance(1_000);
    await failed;
    expect(transport.connections).toBe(0);
    verdict = async () => admitted;
    await connected();
    hold();
    const unanswered = transport.recheckCertificates();
    await clock.advance(60_999);
    expect(transport.connections).toBe(1);
    await clock.advance(1);
    await unanswered;
    expect(transport.connections).toBe(0);
  });

  it('ignores messages of a connection whose credential was revoked', async () => {
    const client = await connected({ allowHalfOpen: true });
    const received = new Promise<void>((resolve) => transport.onDatagram(() => resolve()));
    client.send(1, NO_BYTES, []);
    await received;
    transport.onDatagram(() => heard++);
    transport.endSessions('c');
    client.send(1, NO_BYTES, []);
    expect(await client.next()).toMatchObject({ code: 0xe4 });
    client.send(1, NO_BYTES, []);
    client.socket.end();
    await once(client.socket, 'close');
    expect(heard).toBe(0);
  });

  it('closes although a client does not finish its handshake', async () => {
    const socket = connectPlain(port, '127.0.0.1');
    sockets.push(socket);
    // The server accepts connections in order.
    await connected();
    const closed = transport.close();
    await clock.advance(1_000);
    await closed;
  });

  it('admits no client while it closes', async () => {
    const look = hold();
    const refused = once(dial().resume(), 'close');
    await look.asked(1);
    const closed = transport.close();
    look.answer();
    await Promise.all([refused, closed]);
    expect(transport.connections).toBe(0);
  });
});

function keyOf({ privateKey }: Authority): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function pemOf({ certificate }: Authority): string {
  return new X509Certificate(certificate).toString();
}
