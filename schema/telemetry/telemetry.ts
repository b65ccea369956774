import { isTimestampSuspect, type TelemetryPoint } from '../../src/telemetry/index.ts';
import { builder } from '../builder.ts';

export const TelemetryPointType = builder.objectRef<TelemetryPoint>('TelemetryPoint').implement({
  description:
    'The metrics of one device at one time: readings of the resources that its profile maps to metrics. If Kafka or Redpanda is configured, the same point is published there.',
  fields: (t) => ({
    eventId: t.expose('eventId', {
      type: 'UUID',
      description: 'The point’s id. The published record has the same id in its header `event-id`.',
    }),
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The device’s UUID.' }),
    timestamp: t.expose('timestamp', {
      type: 'DateTime',
      description:
        'When the device measured the values, according to its clock; if it sent no time, when they arrived.',
    }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When the server received the values.' }),
    timestampSuspect: t.boolean({
      description:
        'True if `timestamp` and `receivedAt` differ by more than a day: the clock of the device may be wrong, or the device sent old values late.',
      resolve: isTimestampSuspect,
    }),
    numericValues: t.field({
      type: 'JSON',
      description:
        'The numeric metrics, from name to number: `{"temperature": 22.5, "battery_level": 87}`. A number is the value that the device sent, multiplied by the mapping’s scale, plus its offset. Units are not stored.',
      resolve: ({ numericValues }) => numericValues,
    }),
    stringValues: t.field({
      type: 'JSON',
      description: 'The text metrics, from name to text: `{"firmware": "1.4.2"}`.',
      resolve: ({ stringValues }) => stringValues,
    }),
  }),
});
