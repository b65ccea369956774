import type { DeviceObservation } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';

const ObservationReason = builder.enumType('ObservationReason', {
  description: 'Why an observation runs.',
  values: {
    PROFILE: { description: 'The device’s profile maps the path to a metric.' },
    REQUESTED: { description: 'Somebody asked for it by `observeResources`.' },
    WATCHED: { description: 'Subscriptions to `resourceChanged` watch it; it ends with the last of them.' },
  } satisfies Record<DeviceObservation['reasons'][number], { description: string }>,
});

export const ObservationType = builder.objectRef<DeviceObservation>('Observation').implement({
  description: 'An observation that runs on a device: it notifies of changes below these paths.',
  fields: (t) => ({
    observationId: t.exposeString('id', { description: 'What tells it from the device’s other observations.' }),
    paths: t.field({
      type: ['ResourcePath'],
      description: 'What is observed: `["/3303/0/5700"]`.',
      resolve: ({ paths }) => [...paths],
    }),
    composite: t.exposeBoolean('composite', {
      description: 'Whether the paths are observed together (Observe-Composite, LwM2M 1.1).',
    }),
    reasons: t.field({
      type: [ObservationReason],
      description: 'Why it runs: `[PROFILE, WATCHED]`. It ends when none is left.',
      resolve: ({ reasons }) => [...reasons],
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was started.' }),
  }),
});
