import { describe, expect, it } from 'vitest';
import { codes, createCoapEndpoint, formatCode, type Transport } from '../../src/coap/index.ts';
import { decode, encode, NO_BYTES, type Message } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { createLwm2mServer, Path } from '../../src/lwm2m/index.ts';
import type { Client } from '../dtls/client.ts';
import { World } from '../dtls/network.ts';
import { RecordingHandlers } from './recording-handlers.ts';

const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');
const text = uintOption(optionNumbers.contentFormat, 0);
const temperature = Path.parse('/3303/0/5700');

/** An LwM2M server over the real DTLS engine, and devices that open sessions with the credential `client1`. */
async function secured() {
  const dtls = new World();
  const transport: Transport = {
    kind: 'dtls',
    send: ({ key }, datagram) => dtls.engine.send(key, Buffer.from(datagram)),
    onDatagram: (receive) => void (dtls.onReceived = receive),
    onPeerGone: (gone) => void (dtls.onEnded = gone),
    onPeerArrived: (arrived) => void (dtls.onArrived = arrived),
    close: async () => {},
  };
  const endpoint = createCoapEndpoint({ transport, clock: dtls.clock, random: () => 0 });
  const handlers = new RecordingHandlers();
  const server = createLwm2mServer({ endpoints: [{ endpoint, transport: 'dtls' }], handlers, clock: dtls.clock });
  await server.start({ registrations: [], observations: [] });
  let messageId = 1;
  const say = async (client: Client, message: Partial<Message>): Promise<void> => {
    const { type = 'CON', code = codes.content, token = NO_BYTES, options = [], payload = NO_BYTES } = message;
    messageId++;
    client.send(
      Buffer.from(encode({ type, code, messageId: message.messageId ?? messageId, token, options, payload })),
    );
    await dtls.clock.advance(5);
  };
  const post = (client: Client, path: string, query: string[], format: number, payload: string): Promise<void> =>
    say(client, {
      code: 2,
      token: Uint8Array.of(7),
      options: [
        stringOption(optionNumbers.uriPath, path),
        uintOption(optionNumbers.contentFormat, format),
        ...query.map((parameter) => stringOption(optionNumbers.uriQuery, parameter)),
      ],
      payload: Buffer.from(payload),
    });
  const register = (client: Client, name: string, binding = 'b=U'): Promise<void> =>
    post(client, 'rd', [`ep=${name}`, 'lt=300', 'lwm2m=1.1', binding], 40, '</3303/0>');
  /** Starts an observation of `dev1` over the session of `client`; returns its token. */
  const observe = async (client: Client): Promise<Uint8Array> => {
    const begun = server.perform('dev1', { kind: 'observe', paths: [temperature] });
    await dtls.clock.advance(5);
    const { messageId: asked, token } = last(client);
    const options = [uintOption(optionNumbers.observe, 1), text];
    await say(client, { type: 'ACK', messageId: asked, token, options, payload: Buffer.from('21') });
    await begun;
    return token;
  };
  const notify = (client: Client, token: Uint8Array, value: string): Promise<void> =>
    say(client, { token, options: [uintOption(optionNumbers.observe, 2), text], payload: Buffer.from(value) });
  return { dtls, handlers, server, say, post, register, observe, notify };
}

function last(client: Client): Message {
  const decoded = decode(client.received.at(-1) ?? Buffer.alloc(0));
  if (!decoded.ok) throw new Error('the server sent no message');
  return decoded.message;
}

describe('a device that opens a new DTLS session and sends no Update', () => {
  it.each([
    ['resumes its session', true],
    ['makes a full handshake with its credential', false],
  ])('keeps its registration, observation and running Read when it %s', async (_what, resumes) => {
    const { dtls, handlers, server, say, post, register, observe, notify } = await secured();
    const before = await dtls.connected({}, dtls.address('192.0.2.7'));
    await register(before, 'dev1');
    const token = await observe(before);
    const read = server.perform('dev1', { kind: 'read', path: Path.parse('/3303/0/5701') });
    await dtls.clock.advance(5);
    const asked = last(before);

    const resume = resumes ? { resume: before.session } : {};
    const after = await dtls.connected(resume, dtls.address('192.0.2.8'));
    expect(after.isResumed).toBe(resumes);
    expect(server.registration('dev1')?.peer.address).toBe('192.0.2.8');
    expect(handlers.events).toContain('moved dev1 to 192.0.2.8');

    await dtls.clock.advance(3_000);
    expect(last(after)).toMatchObject({ messageId: asked.messageId, token: asked.token });
    await say(after, {
      type: 'ACK',
      messageId: asked.messageId,
      token: asked.token,
      options: [text],
      payload: Buffer.from('C'),
    });
    expect(await read).toMatchObject({ ok: true });

    await notify(after, token, '22');
    expect(last(after).type).toBe('ACK');
    await post(after, 'dp', [], 110, '[{"n":"/3303/0/5700","v":23}]');
    expect(formatCode(last(after).code)).toBe('2.04');
    expect(handlers.values).toEqual(['/3303/0/5700=21', '/3303/0/5701=C', '/3303/0/5700=22', '/3303/0/5700=23']);
    expect(server.observations('dev1')).toHaveLength(1);
  });

  it('keeps them when it closed the session before it resumed it', async () => {
    const { dtls, handlers, register, observe, notify } = await secured();
    const before = await dtls.connected();
    await register(before, 'dev1');
    const token = await observe(before);
    before.close();
    await dtls.clock.advance(1_000);
    const after = await dtls.connected({ resume: before.session });
    await notify(after, token, '22');
    expect(last(after).type).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=21', '/3303/0/5700=22']);
  });

  it('moves each of several endpoints of one credential with its own session only', async () => {
    const { dtls, server, register } = await secured();
    const first = await dtls.connected({}, dtls.address('192.0.2.1'));
    const second = await dtls.connected({}, dtls.address('192.0.2.2'));
    await register(first, 'dev1');
    await register(second, 'dev2');
    const addresses = (): unknown[] => ['dev1', 'dev2'].map((key) => server.registration(key)?.peer.address);
    await dtls.connected({}, dtls.address('192.0.2.3'));
    expect(addresses()).toEqual(['192.0.2.1', '192.0.2.2']);
    await dtls.connected({ resume: second.session }, dtls.address('192.0.2.4'));
    expect(addresses()).toEqual(['192.0.2.1', '192.0.2.4']);
  });

  it('moves several endpoints of one session together', async () => {
    const { dtls, server, register } = await secured();
    const before = await dtls.connected({}, dtls.address('192.0.2.1'));
    await register(before, 'dev1');
    await register(before, 'dev2');
    await dtls.connected({}, dtls.address('192.0.2.3'));
    const addresses = ['dev1', 'dev2'].map((key) => server.registration(key)?.peer.address);
    expect(addresses).toEqual(['192.0.2.3', '192.0.2.3']);
  });

  it('leaves registrations of other credentials alone', async () => {
    const { dtls, server, handlers, register } = await secured();
    const before = await dtls.connected({}, dtls.address('192.0.2.1'));
    await register(before, 'dev1');
    handlers.events.length = 0;
    dtls.onArrived(
      { key: 'other', address: '192.0.2.9', port: 1, security: { kind: 'psk', name: 'other', credential: 'other' } },
      null,
    );
    await dtls.clock.advance(1);
    expect(server.registration('dev1')?.peer.address).toBe('192.0.2.1');
    expect(handlers.events).toEqual([]);
  });

  it('stays with its new session when an Update over the former one is stored late', async () => {
    const { dtls, server, handlers, post, register } = await secured();
    const before = await dtls.connected({}, dtls.address('192.0.2.1'));
    await register(before, 'dev1');
    const release = handlers.hold();
    const location = server.registration('dev1')?.id ?? '';
    const options = ['rd', location].map((part) => stringOption(optionNumbers.uriPath, part));
    before.send(
      Buffer.from(encode({ type: 'CON', code: 2, messageId: 99, token: NO_BYTES, options, payload: NO_BYTES })),
    );
    await dtls.clock.advance(1);
    const after = await dtls.connected({ resume: before.session }, dtls.address('192.0.2.2'));
    release();
    await dtls.clock.advance(1);
    expect(server.registration('dev1')?.peer.address).toBe('192.0.2.2');
    await post(after, 'dp', [], 110, '[{"n":"/3303/0/5700","v":23}]');
    expect(formatCode(last(after).code)).toBe('2.04');
  });
});

it('follows a session with a Connection ID to the device’s new address', async () => {
  const { dtls, server, handlers, register, say } = await secured();
  const client = await dtls.connected({ cid: CID }, dtls.address('192.0.2.7'));
  await register(client, 'dev1');
  dtls.place(client, dtls.address('192.0.2.8'));
  await say(client, { type: 'NON', code: 0 });
  expect(server.registration('dev1')?.peer.address).toBe('192.0.2.8');
  expect(handlers.events).toContain('moved dev1 to 192.0.2.8');
});
