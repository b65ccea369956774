import type { DeviceObservation, WantedState } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';

const ObservationReason = builder.enumType('ObservationReason', {
  description: 'Why an observation is active.',
  values: {
    PROFILE: {
      description: 'The device’s profile maps the resource to a metric. The observation starts with each registration.',
    },
    REQUESTED: { description: '`observeResources` started it. It is active until `cancelObservation`.' },
    WATCHED: {
      description:
        'A subscription to `resourceChanged` needs it. It ends 30 seconds after the last such subscriber left.',
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

const WantedObservationState = builder.enumType('WantedObservationState', {
  description: 'How far a wanted observation is.',
  values: {
    RUNNING: { description: 'The device accepted the observation.' },
    WAITING: { description: 'The server asks the device as soon as the device can be asked.' },
    RETRYING: {
      description: 'The device could not start the observation, or ended it. The server asks again at `nextTry`.',
    },
    REFUSED: {
      description:
        'The device refused the observation. The server asks again when the device registers or changes its object list.',
    },
  } satisfies Record<WantedState['state'], { description: string }>,
});

export const WantedObservationType = builder.objectRef<WantedState>('WantedObservation').implement({
  description: 'An observation that should be active on a registered device, and what became of it.',
  fields: (t) => ({
    paths: t.field({
      type: ['ResourcePath'],
      description: 'The paths to observe: `["/3303/0/5700"]`.',
      resolve: ({ paths }) => [...paths],
    }),
    reasons: t.field({
      type: [ObservationReason],
      description: 'Why the observation is wanted: `[PROFILE]`.',
      resolve: ({ reasons }) => [...reasons],
    }),
    state: t.expose('state', { type: WantedObservationState, description: 'How far the observation is: `RUNNING`.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'The CoAP code with which the device refused or ended the observation: `"4.04"`; null without one.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The device’s diagnostic message, or why its answer could not be used; null without one.',
    }),
    nextTry: t.expose('nextTry', {
      type: 'DateTime',
      nullable: true,
      description: 'When the server asks the device again; null except in the state RETRYING.',
    }),
  }),
});
