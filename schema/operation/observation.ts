import type { DeviceObservation } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';

const ObservationReason = builder.enumType('ObservationReason', {
  description: 'Why an observation is active.',
  values: {
    PROFILE: {
      description: 'The device’s profile maps the resource to a metric. The observation starts with each registration.',
    },
    REQUESTED: { description: '`observeResources` started it. It is active until `cancelObservation`.' },
    WATCHED: {
      description: 'A subscription to `resourceChanged` needs it. It ends when the last such subscriber leaves.',
    },
  } satisfies Record<DeviceObservation['reasons'][number], { description: string }>,
});

export const ObservationType = builder.objectRef<DeviceObservation>('Observation').implement({
  description: 'An active observation: the device notifies the server of changes at and below these paths.',
  fields: (t) => ({
    observationId: t.exposeString('id', { description: 'An id that is unique among the device’s observations.' }),
    paths: t.field({
      type: ['ResourcePath'],
      description: 'The observed paths: `["/3303/0/5700"]`.',
      resolve: ({ paths }) => [...paths],
    }),
    composite: t.exposeBoolean('composite', {
      description: 'True: one Observe-Composite covers all paths (LwM2M 1.1).',
    }),
    reasons: t.field({
      type: [ObservationReason],
      description: 'Why the observation is active: `[PROFILE]`. It ends when no reason is left.',
      resolve: ({ reasons }) => [...reasons],
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the observation started.' }),
  }),
});
