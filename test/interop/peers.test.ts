import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type OutgoingMessage, type Server } from 'coap';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { coapClient, KafkaBroker, LeshanDevice, PostgresCluster, requirePeer } from './peers/index.ts';

/** A CoAP server of node-coap's on a port that the system picked: what the peers talk to here. */
async function listen(
  answer: (request: IncomingMessage, response: OutgoingMessage) => void,
): Promise<[Server, number]> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return [createServer(answer).listen(socket), socket.address().port];
}

requirePeer('kafka')('the Kafka broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await KafkaBroker.start();
  });
  afterAll(() => broker?.remove());

  it('hands on what was produced, also what it stored before a restart', async () => {
    const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'readings', messages: [{ key: 'urn:imei:1', value: '21.5' }] });
    await producer.disconnect();
    await broker.stop();
    await broker.start();

    const consumer = kafka.consumer({ groupId: 'readers' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'readings', fromBeginning: true });
    const value = await new Promise<string | undefined>((resolve, reject) => {
      consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) }).catch(reject);
    });
    await consumer.disconnect();
    expect(value).toBe('21.5');
  });
});

requirePeer('postgres')('the Postgres cluster', () => {
  it('answers a query', async () => {
    const cluster = await PostgresCluster.start();
    const client = new Client({ connectionString: cluster.url });
    await client.connect();
    const { rows } = await client.query("select current_setting('server_version_num')::int >= 130000 as recent");
    await client.end();
    await cluster.stop();
    expect(rows).toEqual([{ recent: true }]);
  });
});

requirePeer('libcoap')("libcoap's coap-client", () => {
  it('reads a payload in blocks', async () => {
    const [server, port] = await listen((_request, response) => void response.end('x'.repeat(3000)));
    const answer = await coapClient({ method: 'get', uri: `coap://127.0.0.1:${port}/large`, blockSize: 256 });
    server.close();
    expect(Buffer.from(answer.payload).toString()).toBe('x'.repeat(3000));
    expect(answer.error).toBeNull();
  });

  it('reports an error code', async () => {
    const [server, port] = await listen((_request, response) => {
      response.code = '4.04';
      response.end();
    });
    const answer = await coapClient({ method: 'get', uri: `coap://127.0.0.1:${port}/nothing` });
    server.close();
    expect(answer.error).toBe('4.04');
  });
});

requirePeer('leshan')('the Leshan device', () => {
  it('registers with its objects and de-registers when it is stopped', async () => {
    const requests: IncomingMessage[] = [];
    const [server, port] = await listen((request, response) => {
      requests.push(request);
      if (request.method === 'POST') response.setOption('Location-Path', 'rd/abc');
      response.code = request.method === 'POST' ? '2.01' : '2.02';
      response.end();
    });
    const device = new LeshanDevice({ serverUri: `coap://127.0.0.1:${port}`, endpoint: 'urn:imei:1' });
    const location = await device.registered();
    await device.stop();
    server.close();
    expect(location).toBe('/rd/abc');
    expect(requests[0]?.url).toContain('ep=urn:imei:1');
    expect(requests[0]?.payload.toString()).toContain('</3303/0>');
    expect(requests.map((request) => [request.method, request.url.split('?')[0]])).toEqual([
      ['POST', '/rd'],
      ['DELETE', '/rd/abc'],
    ]);
    expect(device.lines).toContain('DEREGISTERED /rd/abc');
  });
});
