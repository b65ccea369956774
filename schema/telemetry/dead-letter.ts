import type { DeadLetterEntry } from '../../src/telemetry/index.ts';
import { builder } from '../builder.ts';

const DeadLetterKind = builder.enumType('DeadLetterKind', {
  description: 'What could not be used.',
  values: {
    READING: { value: 'reading', description: 'A value of a mapped resource that can’t become a metric.' },
    PAYLOAD: { value: 'payload', description: 'A payload that can’t be decoded.' },
    EVENT: { value: 'event', description: 'An event that the broker refused for its size.' },
  } as const,
});

export const DeadLetterType = builder.objectRef<DeadLetterEntry>('DeadLetter').implement({
  description: 'Data of a device that could not be used, with the reason.',
  fields: (t) => ({
    kind: t.expose('kind', { type: DeadLetterKind, description: 'What could not be used.' }),
    path: t.exposeString('path', {
      description:
        'The resource of a value: `"/3303/0/5700"`; the paths of the operation that brought a payload, `"/"` for a Send; the topic of an event.',
    }),
    reason: t.exposeString('reason', {
      description:
        'Why: for a value `"not-a-number"`, `"not-finite"`, `"not-text"`, `"opaque"`, `"inexact"` (an integer beyond 2^53: the metric has the nearest number) or `"time-out-of-range"`; for others a text.',
    }),
    contentFormat: t.exposeInt('contentFormat', {
      nullable: true,
      description: 'The CoAP content format of a payload: `110`; null if it had none.',
    }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it arrived.' }),
  }),
});
