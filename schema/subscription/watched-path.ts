import type { WatchState } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';

const WatchedPathState = builder.enumType('WatchedPathState', {
  description: 'How far the observation of a watched path is.',
  values: {
    WATCHING: { description: 'The device reports changes of the path.' },
    WAITING: { description: 'The server asks the device to report changes as soon as the device can be asked.' },
    RETRYING: {
      description: 'The device could not start the observation, or ended it. The server asks again at `nextTry`.',
    },
    REJECTED: {
      description:
        'The device refused the observation (`code`), or the path has no value, such as an executable resource. No values will arrive. The server asks again when the device registers or changes its object list.',
    },
    NOT_ON_DEVICE: {
      description: 'The device did not register the object or the instance. The server asks when it does.',
    },
    CANCELLED: {
      description:
        '`cancelObservation` ended the observation. It starts again with the device’s next Register or with a new subscription.',
    },
  } satisfies Record<WatchState['state'], { description: string }>,
});

export const WatchedPathType = builder.objectRef<WatchState>('WatchedPath').implement({
  description: 'A path of a subscription to `resourceChanged`, and whether the device reports its changes.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: 'The path: `"/3303/0/5700"`.' }),
    state: t.expose('state', { type: WatchedPathState, description: 'How far the observation is: `WATCHING`.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'The CoAP code with which the device refused or ended the observation: `"4.05"`; null without one.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The reason in words: the device’s diagnostic message or the server’s; null without one.',
    }),
    nextTry: t.expose('nextTry', {
      type: 'DateTime',
      nullable: true,
      description: 'When the server asks the device again; null except in the state RETRYING.',
    }),
  }),
});
