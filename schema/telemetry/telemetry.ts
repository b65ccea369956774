import type { TelemetryPoint } from '../../src/telemetry/index.ts';
import { builder } from '../builder.ts';

export const TelemetryPointType = builder.objectRef<TelemetryPoint>('TelemetryPoint').implement({
  description:
    'Readings of one device at one time, as its profile maps them to metrics; the same point goes out on Redpanda.',
  fields: (t) => ({
    eventId: t.expose('eventId', {
      type: 'UUID',
      description: 'The point’s id, the same as in the header `event-id` of its record.',
    }),
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The platform’s id of the device.' }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'When the readings were taken.' }),
    numericValues: t.field({
      type: 'JSON',
      description: 'Metric name to number, in the metric’s unit: `{"temperature": 22.5, "battery_level": 87}`.',
      resolve: ({ numericValues }) => numericValues,
    }),
    stringValues: t.field({
      type: 'JSON',
      description: 'Metric name to text: `{"firmware": "1.4.2"}`.',
      resolve: ({ stringValues }) => stringValues,
    }),
  }),
});
