import type { NotificationAttributes } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';

/** What each attribute means, said once for what is asked and what is told. */
const MEANING = {
  pmin: 'At least this many seconds between two notifications: `10`.',
  pmax: 'At most this many seconds between two notifications, changed or not: `300`.',
  gt: 'Notify when the value rises or falls through this, in the unit of the resource: `30.5`.',
  lt: 'Notify when the value falls or rises through this, in the unit of the resource: `4`.',
  st: 'Notify when the value differs by at least this from the last notified, in the unit of the resource: `0.5`.',
  epmin: 'At least this many seconds between two evaluations of the conditions: `5`.',
  epmax: 'At most this many seconds between two evaluations of the conditions: `60`.',
  edge: 'For a Boolean: notify on the rising edge (true) or the falling edge (false) only (LwM2M 1.2).',
  con: 'Whether notifications are confirmable (LwM2M 1.2).',
  hqmax: 'How many values are kept and sent together, at most (LwM2M 1.2): `10`.',
} as const;

export const NotificationAttributesInput = builder.inputType('NotificationAttributesInput', {
  description:
    'The attributes that steer an observation (Core 1.2 §7.3): `{ pmin: 10, pmax: 300, st: 0.5 }`. A null unsets an attribute where it is written; one that is absent stays as it is.',
  fields: (t) => ({
    pmin: t.int({ description: MEANING.pmin }),
    pmax: t.int({ description: MEANING.pmax }),
    gt: t.float({ description: MEANING.gt }),
    lt: t.float({ description: MEANING.lt }),
    st: t.float({ description: MEANING.st }),
    epmin: t.int({ description: MEANING.epmin }),
    epmax: t.int({ description: MEANING.epmax }),
    edge: t.boolean({ description: MEANING.edge }),
    con: t.boolean({ description: MEANING.con }),
    hqmax: t.int({ description: MEANING.hqmax }),
  }),
});

export const NotificationAttributesType = builder
  .objectRef<NotificationAttributes>('NotificationAttributes')
  .implement({
    description: 'The attributes that steer an observation (Core 1.2 §7.3); null where one is not set.',
    fields: (t) => ({
      pmin: t.exposeInt('pmin', { nullable: true, description: MEANING.pmin }),
      pmax: t.exposeInt('pmax', { nullable: true, description: MEANING.pmax }),
      gt: t.exposeFloat('gt', { nullable: true, description: MEANING.gt }),
      lt: t.exposeFloat('lt', { nullable: true, description: MEANING.lt }),
      st: t.exposeFloat('st', { nullable: true, description: MEANING.st }),
      epmin: t.exposeInt('epmin', { nullable: true, description: MEANING.epmin }),
      epmax: t.exposeInt('epmax', { nullable: true, description: MEANING.epmax }),
      edge: t.exposeBoolean('edge', { nullable: true, description: MEANING.edge }),
      con: t.exposeBoolean('con', { nullable: true, description: MEANING.con }),
      hqmax: t.exposeInt('hqmax', { nullable: true, description: MEANING.hqmax }),
    }),
  });
