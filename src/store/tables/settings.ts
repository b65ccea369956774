import { jsonb, pgTable, text } from 'drizzle-orm/pg-core';

/** Values of the whole installation. Only the system role uses it. */
export const settings = pgTable('settings', {
  key: text('key').primaryKey(),
  value: jsonb('value').notNull(),
});

/** The key of the row with the check value of the secret key. */
export const SECRET_KEY_CHECK = 'secret_key_check';
