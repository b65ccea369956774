import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';

/** Keys of the requests that it answers, and the highest version of each. */
const PRODUCE = 0;
const METADATA = 3;
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;
const SASL_AUTHENTICATE = 36;
const HIGHEST_VERSIONS = new Map([
  [PRODUCE, 3],
  [METADATA, 4],
  [SASL_HANDSHAKE, 1],
  [API_VERSIONS, 2],
  [SASL_AUTHENTICATE, 0],
]);

/** A Produce request of version 3, without the parts that never change. */
export interface Produced {
  readonly topic: string;
  readonly acks: number;
  readonly timeout: number;
  /** The record batch as it came. */
  readonly records: Buffer;
}

/**
 * As much of the Kafka protocol as one producer needs: one broker, one partition per topic. It answers each Produce with
 * an error code that the test sets, which a real broker does not do on request; test/interop has real ones.
 */
export class KafkaPeer {
  readonly produced: Produced[] = [];
  readonly mechanisms: string[] = [];
  /** What was sent to authenticate. */
  readonly credentials: string[] = [];
  /** Topics that a Metadata request asked for with permission to make them. */
  readonly creatable: string[] = [];
  connections = 0;
  /** The error code of the protocol for the next Produce requests. */
  produceError = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server;

  private constructor(tls: { cert: string; key: string } | null) {
    const serve = (socket: Socket | TLSSocket): void => this.#serve(socket);
    this.#server = tls ? createTlsServer(tls, serve) : createServer(serve);
    this.#server.on('tlsClientError', () => {});
  }

  static async start(tls: { cert: string; key: string } | null = null): Promise<KafkaPeer> {
    const peer = new KafkaPeer(tls);
    peer.#server.listen(0, '127.0.0.1');
    await once(peer.#server, 'listening');
    return peer;
  }

  get port(): number {
    // A TCP server that listens has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    let buffered = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      buffered = Buffer.concat([buffered, bytes]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0);
        const answer = this.#answer(new Reader(buffered.subarray(4, end)));
        socket.write(Buffer.concat([int32(answer.length), answer]));
        buffered = buffered.subarray(end);
      }
    });
  }

  /** Correlation id and body of the answer. */
  #answer(request: Reader): Buffer {
    const key = request.int16();
    request.int16();
    const correlation = int32(request.int32());
    request.text();
    const body = {
      [API_VERSIONS]: () => [
        int16(0),
        array([...HIGHEST_VERSIONS].map(([api, most]) => [int16(api), int16(0), int16(most)])),
        int32(0),
      ],
      [SASL_HANDSHAKE]: () => {
        this.mechanisms.push(request.text());
        return [int16(0), array([[text('PLAIN')]])];
      },
      [SASL_AUTHENTICATE]: () => {
        this.credentials.push(request.bytes().toString());
        return [int16(0), int16(-1), int32(0)];
      },
      [METADATA]: () => this.#metadata(request),
      [PRODUCE]: () => this.#produce(request),
    }[key];
    if (!body) throw new Error(`a producer does not send request ${key}`);
    return Buffer.concat([correlation, ...body()]);
  }

  #metadata(request: Reader): Buffer[] {
    const topics = Array.from({ length: request.int32() }, () => request.text());
    if (request.int8() === 1) this.creatable.push(...topics);
    const broker = [int32(0), text('127.0.0.1'), int32(this.port), int16(-1)];
    const partition = [int16(0), int32(0), int32(0), array([[int32(0)]]), array([[int32(0)]])];
    const described = topics.map((topic) => [int16(0), text(topic), Buffer.of(0), array([partition])]);
    return [int32(0), array([broker]), int16(-1), int32(0), array(described)];
  }

  #produce(request: Reader): Buffer[] {
    request.text();
    const acks = request.int16();
    const timeout = request.int32();
    request.int32();
    const topic = request.text();
    request.int32();
    request.int32();
    this.produced.push({ topic, acks, timeout, records: request.bytes() });
    const offsets = Buffer.alloc(16);
    return [array([[text(topic), array([[int32(0), int16(this.produceError), offsets]])]]), int32(0)];
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1));
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }
  /** A nullable string; null as an empty one. */
  text(): string {
    return this.#take(this.int16()).toString();
  }
  bytes(): Buffer {
    return this.#take(this.int32());
  }

  #take(length: number): Buffer {
    const from = this.#skip(Math.max(0, length));
    return Buffer.from(this.#bytes.subarray(from, this.#at));
  }
  #skip(length: number): number {
    const from = this.#at;
    this.#at += length;
    return from;
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

function array(items: readonly (readonly Buffer[])[]): Buffer {
  return Buffer.concat([int32(items.length), ...items.flat()]);
}
