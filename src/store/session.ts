import { escapeIdentifier, escapeLiteral } from 'pg';

/** How long the database may take. Milliseconds. */
export interface Deadlines {
  /** A statement; the server cancels it. */
  readonly statementMs: number;
  /** A wait for a lock; the server cancels the statement. */
  readonly lockMs: number;
  /** A transaction without a statement; the server ends it. */
  readonly idleTransactionMs: number;
}

/**
 * The SQL that sets what every statement relies on, whatever the role or the database has set: the schema, how dates
 * and numbers are written, and the deadlines. `local`: only until the end of the transaction.
 */
export function settingsSql(schema: string, deadlines: Deadlines | null, local: boolean): string {
  const settings: Record<string, string> = {
    // Not "$user": that is the role, and each transaction has another one.
    search_path: escapeIdentifier(schema),
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    bytea_output: 'hex',
    extra_float_digits: '1',
    standard_conforming_strings: 'on',
    client_encoding: 'UTF8',
    row_security: 'on',
    ...(deadlines === null
      ? {}
      : {
          statement_timeout: String(deadlines.statementMs),
          lock_timeout: String(deadlines.lockMs),
          idle_in_transaction_session_timeout: String(deadlines.idleTransactionMs),
        }),
  };
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', ${escapeLiteral(value)}, ${local})`,
  );
  return `select ${calls.join(', ')}`;
}
