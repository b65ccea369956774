import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type OutgoingMessage, type Server } from 'coap';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Lwm2mPeer } from '../simulator/lwm2m-peer.ts';
import { coapClient, KafkaBroker, LeshanDevice, PostgresCluster, requirePeer } from './peers/index.ts';
import type { LeshanOptions } from './peers/index.ts';

const TEXT = 0;

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
  let server: Lwm2mPeer;
  let device: LeshanDevice;
  beforeEach(async () => {
    server = await Lwm2mPeer.start();
  });
  afterEach(async () => {
    await device.kill();
    await server.stop();
  });

  async function start(options: Partial<LeshanOptions> = {}): Promise<void> {
    device = new LeshanDevice({ serverUri: `coap://127.0.0.1:${server.port}`, endpoint: 'urn:imei:1', ...options });
    await device.registered();
  }

  it('registers with its objects and de-registers when it is stopped', async () => {
    await start({ lifetime: 77, queue: true });
    const query = server.received[0]?.url.replace('/rd?', '').split('&');
    expect(query?.sort()).toEqual(['Q', 'b=U', 'ep=urn:imei:1', 'lt=77', 'lwm2m=1.1']);
    expect(server.received[0]?.payload).toContain('</3303/0>');
    expect(server.received[0]?.payload).toContain('</3442/0>');
    await device.stop();
    expect(server.received.at(-1)).toMatchObject({ method: 'DELETE', url: '/rd/1', payload: '' });
    expect(device.lines).toContain('DEREGISTERED /rd/1');
  });

  it('answers, notifies what it is told to measure, and says what it is asked', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700', accept: TEXT });
    expect((await observation.next()).payload.toString()).toBe('21.5');
    device.write('set /3303/0/5700 -3.25');
    expect((await observation.next()).payload.toString()).toBe('-3.25');
    await server.ask({ method: 'PUT', path: '/3303/0/5750', contentFormat: TEXT, payload: 'cellar' });
    await device.waitFor(/^WRITE \/3303\/0\/5750 cellar/);
  });

  it('reboots when that is executed, and registers anew', async () => {
    await start();
    expect((await server.ask({ method: 'POST', path: '/3/0/4' })).code).toBe('2.04');
    await device.waitFor(/^EXECUTE \/3\/0\/4/);
    await device.waitFor(/^REBOOTED/);
    await device.registered({ since: device.lines.indexOf('REBOOTED') });
  });

  it('updates, creates, deletes and sends as it is told', async () => {
    await start();
    device.write('update');
    await device.waitFor(/^UPDATED \/rd\/1/);
    device.write('create /3303/4');
    await server.requests(3);
    expect(server.received[2]?.payload).toContain('</3303/4>');
    device.write('delete /3303/4');
    await server.requests(4);
    expect(server.received[3]?.payload).not.toContain('</3303/4>');
    device.write('send /3303/0/5700');
    await device.waitFor(/^SENT CHANGED/);
    expect(server.received.at(-1)?.url).toBe('/dp');
  });

  it('speaks LwM2M 1.0 with Leshan 1', async () => {
    await start({ lwm2m: '1.0', queue: true, lifetime: 77 });
    const query = server.received[0]?.url.replace('/rd?', '').split('&');
    expect(query?.sort()).toEqual(['b=UQ', 'ep=urn:imei:1', 'lt=77', 'lwm2m=1.0']);
    const observation = server.observe({ path: '/3303/0/5700', accept: TEXT });
    expect((await observation.next()).payload.toString()).toBe('21.5');
    device.write('set /3303/0/5700 7.5');
    expect((await observation.next()).payload.toString()).toBe('7.5');
    await server.ask({ method: 'POST', path: '/3/0/4' });
    await device.waitFor(/^REBOOTED/);
    await device.registered({ since: device.lines.indexOf('REBOOTED') });
  });
});
