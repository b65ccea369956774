import type { NotificationAttributes } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { integer } from '../rules.ts';

const COUNT = integer(0, 2 ** 31 - 1);

/** Descriptions of the attributes, shared by the input and the output type. */
const MEANING = {
  pmin: 'Minimum number of seconds between two notifications: `10`.',
  pmax: 'Maximum number of seconds between two notifications; the device then notifies even if the value has not changed: `300`.',
  gt: 'Greater than: the device notifies when the value crosses this threshold, in either direction; same unit as the resource: `30.5`.',
  lt: 'Less than: the device notifies when the value crosses this threshold, in either direction; same unit as the resource: `4`.',
  st: 'Step: the device notifies when the value differs by at least this from the last notified value; same unit as the resource: `0.5`.',
  epmin: 'Minimum number of seconds between two evaluations of gt, lt and st: `5`.',
  epmax: 'Maximum number of seconds between two evaluations of gt, lt and st: `60`.',
  edge: 'For a Boolean resource: true notifies only when the value becomes true, false only when it becomes false (LwM2M 1.2).',
  con: 'True: the device sends confirmable notifications (LwM2M 1.2).',
  hqmax: 'Maximum number of historical values that the device queues for one notification (LwM2M 1.2): `10`.',
} as const;

/** What an absent attribute and null do. */
const UNSET =
  'Absent: `writeAttributes` leaves it unchanged. Null: `writeAttributes` removes it from the device. Elsewhere, both mean: not set.';

export const NotificationAttributesInput = builder.inputType('NotificationAttributesInput', {
  description:
    'Notification attributes: they say when a device notifies (Core 1.2 §7.3). Example: `{ pmin: 10, pmax: 300, st: 0.5 }`.',
  fields: (t) => ({
    pmin: t.int({ description: `${MEANING.pmin} ${UNSET}`, validate: COUNT }),
    pmax: t.int({ description: `${MEANING.pmax} ${UNSET}`, validate: COUNT }),
    gt: t.float({ description: `${MEANING.gt} ${UNSET}` }),
    lt: t.float({ description: `${MEANING.lt} ${UNSET}` }),
    st: t.float({ description: `${MEANING.st} ${UNSET}` }),
    epmin: t.int({ description: `${MEANING.epmin} ${UNSET}`, validate: COUNT }),
    epmax: t.int({ description: `${MEANING.epmax} ${UNSET}`, validate: COUNT }),
    edge: t.boolean({ description: `${MEANING.edge} ${UNSET}` }),
    con: t.boolean({ description: `${MEANING.con} ${UNSET}` }),
    hqmax: t.int({ description: `${MEANING.hqmax} ${UNSET}`, validate: COUNT }),
  }),
});

export const NotificationAttributesType = builder
  .objectRef<NotificationAttributes>('NotificationAttributes')
  .implement({
    description:
      'Notification attributes: they say when a device notifies (Core 1.2 §7.3). An attribute that is not set is null.',
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
