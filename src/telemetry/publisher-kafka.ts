import { Kafka, logLevel, Partitioners, type Admin, type logCreator, type Producer, type SASLOptions } from 'kafkajs';
import type { BaseLogger as Log } from 'pino';

import { TelemetryError } from './error.ts';
import type { EventSender } from './sender.ts';

/** Retries within one send: enough for a topic that the broker is creating. The publisher handles longer outages. */
const RETRY = { retries: 4, initialRetryTime: 100, maxRetryTime: 1_000 };
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** The broker acknowledges a record when every in-sync replica has it. */
const ALL_REPLICAS = -1;

export interface KafkaConnection {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** Null: no TLS. `authorities`: PEM; null: Node’s built-in certificate authorities. */
  readonly tls: { readonly authorities: string | null } | null;
  /** Null: no authentication. */
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
}

/**
 * Sends events to Kafka or Redpanda. It connects at the first send and reconnects at the next send after no broker
 * answered. It does not use the idempotent mode of kafkajs, which retries without end; consumers drop duplicates by
 * `event-id`.
 */
export function createKafkaSender({ brokers, tls, sasl }: KafkaConnection, log: Log): EventSender {
  const kafka = new Kafka({
    clientId: 'treeline',
    brokers: [...brokers],
    ...(tls && { ssl: tls.authorities === null ? true : { ca: tls.authorities } }),
    ...(sasl && { sasl: saslOf(sasl) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator: quietly(log),
  });
  let connected: Promise<Producer> | undefined;
  let checking: Promise<Admin> | undefined;

  const connect = async (): Promise<Producer> => {
    const producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: true,
      retry: RETRY,
    });
    await producer.connect();
    return producer;
  };
  const connectAdmin = async (): Promise<Admin> => {
    const admin = kafka.admin({ retry: RETRY });
    await admin.connect();
    return admin;
  };
  const disconnect = async (): Promise<void> => {
    const connections = [connected, checking];
    connected = checking = undefined;
    await Promise.allSettled(connections.map(async (connection) => (await connection)?.disconnect()));
  };

  return {
    async send(topic, records) {
      try {
        const producer = await (connected ??= connect());
        const messages = records.map(({ key, value, headers }) => ({
          key,
          value: asBuffer(value),
          headers: { ...headers },
        }));
        await producer.send({ topic, messages, acks: ALL_REPLICAS, timeout: REQUEST_TIMEOUT_MS });
      } catch (error) {
        const failure = failureOf(error);
        if (failure.code === 'UNREACHABLE') await disconnect();
        throw failure;
      }
    },
    async check() {
      try {
        const admin = await (checking ??= connectAdmin());
        await admin.describeCluster();
      } catch (error) {
        await disconnect();
        throw new TelemetryError('UNREACHABLE', failureOf(error).message);
      }
    },
    close: disconnect,
  };
}

/** The switch narrows the type: kafkajs has a type for each mechanism. */
function saslOf({ mechanism, username, password }: NonNullable<KafkaConnection['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}

const TOO_LARGE: readonly unknown[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
/** Errors that concern this client, not the topic. */
const CLIENT_ERRORS: readonly unknown[] = ['CLUSTER_AUTHORIZATION_FAILED', 'SASL_AUTHENTICATION_FAILED'];

/** Classifies an error of kafkajs: `type` is Kafka's name of a broker's error, wrapped after the last retry. */
function failureOf(error: unknown): TelemetryError {
  const cause = rootOf(error);
  const message = cause instanceof Error ? cause.message : String(cause);
  const type = cause instanceof Error && 'type' in cause ? cause.type : undefined;
  const noMetadata = cause instanceof Error && cause.name === 'KafkaJSTopicMetadataNotLoaded';
  const code = TOO_LARGE.includes(type)
    ? 'TOO_LARGE'
    : noMetadata || (type !== undefined && !CLIENT_ERRORS.includes(type))
      ? 'REFUSED'
      : 'UNREACHABLE';
  // Without the cause: it has the same text.
  return new TelemetryError(code, message);
}

function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.name === 'KafkaJSNumberOfRetriesExceeded' && root.cause) root = root.cause;
  return root;
}

/** Logs everything from kafkajs at debug: it repeats an error for every failed connection; the publisher warns once. */
function quietly(log: Log): logCreator {
  return () =>
    ({ namespace, log: { message, broker, error } }) =>
      log.debug({ kafkajs: namespace, broker, error }, message);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
