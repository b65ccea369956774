import { asc } from 'drizzle-orm';
import { expect, it } from 'vitest';

import { deadLetters, insertRows, outbox } from '../../src/store/index.ts';
import { addDevice } from '../telemetry/known-device.ts';
import { useStore } from './database.ts';

const store = useStore({ poolSize: 1 });

it('stores every type of column unchanged, including null', async () => {
  const device = await addDevice(store(), 'acme');
  const rows: (typeof deadLetters.$inferInsert)[] = [
    { bytes: Uint8Array.of(0, 92, 34, 123, 255), reason: `{"a\\b", NULL}`, contentFormat: null },
    { bytes: new Uint8Array(), reason: 'NULL', contentFormat: 110 },
    { bytes: Uint8Array.of(7), reason: '', contentFormat: 0 },
  ].map((letter, n) => ({
    ...device,
    path: '/dp',
    kind: 'payload',
    receivedAt: new Date(1_767_225_600_123 + n),
    ...letter,
  }));
  await store().asTenant('acme', (tx) => insertRows(tx, deadLetters, rows));
  const stored = await store().asTenant('acme', (tx) => tx.select().from(deadLetters).orderBy(asc(deadLetters.id)));
  expect(stored).toMatchObject(rows);
});

it('generates identity values in the order of the rows', async () => {
  const device = await addDevice(store(), 'acme');
  const rows = Array.from({ length: 3_000 }, (_, n): typeof outbox.$inferInsert => ({
    ...device,
    eventId: crypto.randomUUID(),
    kind: 'telemetry',
    event: { n, text: `"\\{}, ${n}` },
    createdAt: new Date(),
  }));
  await store().asTenant('acme', (tx) => insertRows(tx, outbox, rows));
  const stored = await store().asTenant('acme', (tx) => tx.select().from(outbox).orderBy(asc(outbox.id)));
  expect(stored.map(({ event }) => event)).toEqual(rows.map(({ event }) => event));
});

it('does nothing for no rows', async () => {
  await store().asTenant('acme', (tx) => insertRows(tx, outbox, []));
});
