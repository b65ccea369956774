import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import {
  Kafka,
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSTopicMetadataNotLoaded,
} from 'kafkajs';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createServerIdentity } from '../../src/dtls/index.ts';
import { createKafkaSender, type KafkaConnection } from '../../src/telemetry/publisher-kafka.ts';
import type { OutgoingRecord } from '../../src/telemetry/record.ts';
import type { EventSender } from '../../src/telemetry/sender.ts';
import { KafkaPeer } from './kafka-peer.ts';

const DEBUG = 20;
const log = pino({ level: 'silent' });
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function senderTo(connection: Partial<KafkaConnection>): EventSender {
  const sender = createKafkaSender({ brokers: ['127.0.0.1:9092'], tls: null, sasl: null, ...connection }, log);
  undo.push(() => sender.close());
  return sender;
}

async function peerAnd(connection: Partial<KafkaConnection> = {}): Promise<{ peer: KafkaPeer; sender: EventSender }> {
  const peer = await KafkaPeer.start();
  undo.push(() => peer.stop());
  return { peer, sender: senderTo({ brokers: [`127.0.0.1:${peer.port}`], ...connection }) };
}

/** What surrounds the view of a value. It is long, so that a checksum or a time of the batch can't contain it. */
const OUTSIDE = 'outside the view';

function record(value: string): OutgoingRecord {
  // A part of a larger buffer, as views of a pool are.
  const value8 = new Uint8Array(Buffer.from(`${OUTSIDE}${value}${OUTSIDE}`)).subarray(OUTSIDE.length, -OUTSIDE.length);
  const headers = { 'event-id': `id of ${value}`, 'content-type': 'application/json', schema: 'TelemetryPoint/1' };
  return { key: `key of ${value}`, value: value8, headers };
}

describe('a send', () => {
  it('resolves when every in-sync replica of the topic has the records, which keep their order', async () => {
    const { peer, sender } = await peerAnd();
    await sender.send('telemetry.raw.acme', [record('first'), record('second')]);
    const [request, ...others] = peer.produced;
    expect(others).toEqual([]);
    expect(request).toMatchObject({ topic: 'telemetry.raw.acme', acks: -1, timeout: 10_000 });
    const batch = request?.records.toString('latin1') ?? '';
    expect(batch).toMatch(/key of first.*first.*event-id.*id of first.*key of second.*second.*id of second/s);
    expect(batch).toContain('application/json');
    expect(batch).toContain('TelemetryPoint/1');
    expect(batch).not.toContain(OUTSIDE);
    expect(peer.creatable).toContain('telemetry.raw.acme');
  });

  it('keeps its connection for the next, also when the broker refuses the topic', async () => {
    const { peer, sender } = await peerAnd();
    await sender.send('a', [record('1')]);
    const connections = peer.connections;
    peer.produceError = 29;
    await expect(sender.send('a', [record('2')])).rejects.toMatchObject({ code: 'REFUSED' });
    peer.produceError = 0;
    await sender.send('a', [record('3')]);
    expect(peer.produced).toHaveLength(3);
    expect(peer.connections).toBe(connections);
  });

  it.each([
    ['MESSAGE_TOO_LARGE', 10, 'TOO_LARGE'],
    ['RECORD_LIST_TOO_LARGE', 18, 'TOO_LARGE'],
    ['INVALID_TOPIC_EXCEPTION', 17, 'REFUSED'],
    ['TOPIC_AUTHORIZATION_FAILED', 29, 'REFUSED'],
    ['CLUSTER_AUTHORIZATION_FAILED', 31, 'UNREACHABLE'],
  ])('that is answered with %s is %s', async (_name, answer, code) => {
    const { peer, sender } = await peerAnd();
    peer.produceError = answer;
    const error = await sender.send('a', [record('1')]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TelemetryError', code, message: expect.stringMatching(/./) });
  });

  it('to a port where no broker listens is UNREACHABLE', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo; // a TCP server that listens has such an address
    closed.close();
    const lines: string[] = [];
    const verbose = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const sender = createKafkaSender({ brokers: [`127.0.0.1:${port}`], tls: null, sasl: null }, verbose);
    await expect(sender.send('a', [record('1')])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    // The publisher logs the failure; the details of kafkajs are for who looks for them.
    expect(new Set(lines.map((line) => JSON.parse(line).level))).toEqual(new Set([DEBUG]));
    expect(lines.join()).toContain('ECONNREFUSED');
  });
});

describe('a connection', () => {
  it('authenticates with SASL where that is set', async () => {
    const { peer, sender } = await peerAnd({ sasl: { mechanism: 'plain', username: 'ada', password: 'pw' } });
    await sender.send('a', [record('1')]);
    expect(new Set(peer.mechanisms)).toEqual(new Set(['PLAIN']));
    expect(new Set(peer.credentials)).toEqual(new Set(['\0ada\0pw']));
  });

  it('does not authenticate where nothing is set', async () => {
    const { peer, sender } = await peerAnd();
    await sender.send('a', [record('1')]);
    expect(peer.mechanisms).toEqual([]);
  });

  it.each([
    ['scram-sha-256', 'SCRAM-SHA-256'],
    ['scram-sha-512', 'SCRAM-SHA-512'],
  ] as const)('asks for the mechanism %s, and is UNREACHABLE where the broker has it not', async (mechanism, name) => {
    const { peer, sender } = await peerAnd({ sasl: { mechanism, username: 'ada', password: 'pw' } });
    await expect(sender.send('a', [record('1')])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(peer.mechanisms[0]).toBe(name);
  });

  it('over TLS takes a certificate of the given authorities, and no other', async () => {
    const { certificates, privateKey } = createServerIdentity({
      commonName: 'broker',
      names: ['127.0.0.1', 'localhost'],
      now: Date.now(),
      days: 2,
    });
    const peer = await KafkaPeer.start({ cert: certificates, key: privateKey });
    undo.push(() => peer.stop());
    const brokers = [`localhost:${peer.port}`];
    await expect(senderTo({ brokers, tls: { authorities: null } }).send('a', [record('1')])).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
    expect(peer.produced).toEqual([]);
    await senderTo({ brokers, tls: { authorities: certificates } }).send('a', [record('1')]);
    expect(peer.produced).toHaveLength(1);
  });
});

/** A sender whose producer fails as the test says: some errors no peer can be made to cause. */
function scripted() {
  const calls: string[] = [];
  let failure: unknown;
  const producer = {
    connect: async () => void calls.push('connect'),
    disconnect: async () => void calls.push('disconnect'),
    async send() {
      calls.push('send');
      if (failure !== undefined) throw failure;
    },
  };
  const spy = vi
    .spyOn(Kafka.prototype, 'producer')
    .mockReturnValue(producer as unknown as ReturnType<Kafka['producer']>);
  undo.push(() => spy.mockRestore());
  return { calls, sender: senderTo({}), fail: (error: unknown) => (failure = error) };
}

function protocolError(type: string): Error {
  return new KafkaJSProtocolError(Object.assign(new Error(`broker: ${type}`), { type, code: 1 }));
}

describe('an error of a send', () => {
  it.each<[string, unknown, string, string]>([
    ['a topic without a leader', protocolError('LEADER_NOT_AVAILABLE'), 'REFUSED', 'broker: LEADER_NOT_AVAILABLE'],
    [
      'a topic whose metadata does not come',
      new KafkaJSTopicMetadataNotLoaded('no metadata'),
      'REFUSED',
      'no metadata',
    ],
    [
      'a login that fails',
      protocolError('SASL_AUTHENTICATION_FAILED'),
      'UNREACHABLE',
      'broker: SASL_AUTHENTICATION_FAILED',
    ],
    ['a broken connection', new KafkaJSConnectionError('ECONNRESET'), 'UNREACHABLE', 'ECONNRESET'],
    ['a plain error', new TypeError('no'), 'UNREACHABLE', 'no'],
    ['a value that is not an Error', 'no', 'UNREACHABLE', 'no'],
    ['an object with a type that is no error', { type: 'MESSAGE_TOO_LARGE' }, 'UNREACHABLE', '[object Object]'],
    [
      'retries that ended with a topic that is missing',
      new KafkaJSNumberOfRetriesExceeded(protocolError('UNKNOWN_TOPIC_OR_PARTITION'), { retryCount: 4, retryTime: 1 }),
      'REFUSED',
      'broker: UNKNOWN_TOPIC_OR_PARTITION',
    ],
    [
      'retries of retries that ended with a record too large',
      new KafkaJSNumberOfRetriesExceeded(
        new KafkaJSNumberOfRetriesExceeded(protocolError('MESSAGE_TOO_LARGE'), { retryCount: 4, retryTime: 1 }),
        { retryCount: 4, retryTime: 1 },
      ),
      'TOO_LARGE',
      'broker: MESSAGE_TOO_LARGE',
    ],
    [
      'retries that ended with a broken connection',
      new KafkaJSNumberOfRetriesExceeded(new KafkaJSConnectionError('ECONNREFUSED'), { retryCount: 4, retryTime: 1 }),
      'UNREACHABLE',
      'ECONNREFUSED',
    ],
    [
      'another error that has a cause',
      new Error('outer', { cause: protocolError('MESSAGE_TOO_LARGE') }),
      'UNREACHABLE',
      'outer',
    ],
  ])('is classified: %s', async (_case, thrown, code, message) => {
    const { sender, fail } = scripted();
    fail(thrown);
    const error = await sender.send('a', [record('1')]).catch((rejection: unknown) => rejection);
    expect(error).toMatchObject({ name: 'TelemetryError', code, message });
  });

  it('that is UNREACHABLE ends the connection, and the next send makes a new one', async () => {
    const { calls, sender, fail } = scripted();
    await sender.send('a', [record('1')]);
    fail(new KafkaJSConnectionError('ECONNRESET'));
    await expect(sender.send('a', [record('2')])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    fail(undefined);
    await sender.send('a', [record('3')]);
    expect(calls).toEqual(['connect', 'send', 'send', 'disconnect', 'connect', 'send']);
  });

  it.each(['REFUSED', 'TOO_LARGE'])('that is %s keeps the connection', async (code) => {
    const { calls, sender, fail } = scripted();
    fail(protocolError(code === 'REFUSED' ? 'TOPIC_AUTHORIZATION_FAILED' : 'MESSAGE_TOO_LARGE'));
    await expect(sender.send('a', [record('1')])).rejects.toMatchObject({ code });
    fail(undefined);
    await sender.send('a', [record('2')]);
    expect(calls).toEqual(['connect', 'send', 'send']);
  });
});

describe('close', () => {
  it('disconnects once, and does nothing where nothing was sent', async () => {
    const { calls, sender } = scripted();
    await sender.close();
    expect(calls).toEqual([]);
    await sender.send('a', [record('1')]);
    await sender.close();
    await sender.close();
    expect(calls).toEqual(['connect', 'send', 'disconnect']);
  });
});
