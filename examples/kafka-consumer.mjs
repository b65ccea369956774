// Prints the events that Treeline publishes to Kafka or Redpanda, each once.
//   node examples/kafka-consumer.mjs
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

const { KAFKA_BROKERS = '127.0.0.1:9092', KAFKA_GROUP = 'treeline-example' } = process.env;
/** The tenant of the first start is named `default`. */
const { TREELINE_TENANT = 'default' } = process.env;
const TELEMETRY = `telemetry.raw.${TREELINE_TENANT}`;
const STATUS = 'device.status';
const REMEMBERED_IDS = 10_000;

/**
 * The ids of handled events. Treeline sends every event at least once: after a broken connection it sends some again,
 * with the same `event-id`. A consumer that writes to a database keeps the id there, in the same transaction.
 */
const handled = new Set();

function remember(eventId) {
  handled.add(eventId);
  if (handled.size > REMEMBERED_IDS) handled.delete(handled.values().next().value); // the oldest
}

/** One printed line: data/events has the schemas of both kinds of event. */
function lineOf(topic, event) {
  if (topic === STATUS) return `status ${event.endpoint} ${event.status} (${event.reason}) at ${event.at}`;
  const metrics = { ...event.numeric_values, ...event.string_values };
  const values = Object.entries(metrics).map(([name, value]) => `${name}=${value}`);
  return `telemetry ${event.device_id} ${values.join(' ')} at ${event.timestamp}`;
}

async function eachMessage({ topic, message }) {
  // kafkajs gives keys, values and headers as bytes. The key is the device's id: one device's events stay in order.
  const header = (name) => message.headers[name]?.toString();
  const eventId = header('event-id');
  if (handled.has(eventId)) return;
  if (header('content-type') === 'application/json') {
    const event = JSON.parse(message.value.toString());
    // device.status has the events of all tenants.
    if (event.tenant_id === TREELINE_TENANT) console.log(lineOf(topic, event));
  } else {
    console.error(`${eventId} is ${header('content-type')}: decode it with data/events/telemetry-point.proto`);
  }
  remember(eventId); // only now: an event whose handling failed comes again
}

/** A topic may not exist before the first event. */
async function subscribe(consumer) {
  try {
    await consumer.subscribe({ topics: [TELEMETRY, STATUS], fromBeginning: true });
  } catch (error) {
    if (error.type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    console.error(`Waiting for the topics ${TELEMETRY} and ${STATUS}.`);
    await wait(1_000);
    await subscribe(consumer);
  }
}

const kafka = new Kafka({ clientId: 'treeline-example', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: KAFKA_GROUP });
await consumer.connect();
await subscribe(consumer);
await consumer.run({ eachMessage });

// Leaves the group, so that another consumer of the group takes over at once.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect());
