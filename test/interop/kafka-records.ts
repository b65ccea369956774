import { Kafka, logLevel } from 'kafkajs';

export interface KafkaRecord {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Record<string, unknown>;
}

export interface Consumption {
  readonly records: readonly KafkaRecord[];
  /** Resolves with the first record, arrived or to come, that `wanted` accepts; fails after `ms`. */
  first(wanted: (record: KafkaRecord) => boolean, ms?: number): Promise<KafkaRecord>;
  stop(): Promise<void>;
}

/** Reads the topics (JSON values) from their beginning, made before anybody writes to them. */
export async function consume(brokers: string, topics: readonly string[]): Promise<Consumption> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })) });
  await admin.disconnect();

  const records: KafkaRecord[] = [];
  const listeners = new Set<(record: KafkaRecord) => void>();
  const consumer = kafka.consumer({ groupId: `test-${process.pid}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      const record = {
        topic,
        key: message.key?.toString() ?? null,
        headers: Object.fromEntries(headers),
        value: JSON.parse(message.value?.toString() ?? 'null'),
      };
      records.push(record);
      for (const listener of listeners) listener(record);
    },
  });
  return {
    records,
    first(wanted, ms = 30_000) {
      const found = records.find(wanted);
      if (found) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`no such record in ${ms} ms among ${JSON.stringify(records)}`));
        }, ms);
        const look = (record: KafkaRecord): void => {
          if (!wanted(record)) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(record);
        };
        listeners.add(look);
      });
    },
    stop: () => consumer.disconnect(),
  };
}
