import { DrizzleQueryError } from 'drizzle-orm/errors';
import { DatabaseError } from 'pg';

export type StoreErrorCode =
  /** Postgres does not answer at its address, or refuses us. */
  | 'UNREACHABLE'
  /** Another process holds the embedded database's directory. */
  | 'IN_USE'
  /** The embedded database's files can't be opened, or a migration failed. */
  | 'CANNOT_OPEN'
  /** The connection broke, or the embedded database ended, before the answer came. */
  | 'LOST'
  /** A unique constraint: see `constraint`. */
  | 'CONFLICT'
  /** A foreign key: see `constraint`. */
  | 'REFERENCE'
  /** A transaction inside a transaction: with a pool of one it would wait for itself. */
  | 'NESTED'
  /** Any other refusal of a statement: see `sqlState`. */
  | 'QUERY';

/** The one error class of the store. Never holds a statement's parameters: they may be secrets. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** PostgreSQL's five characters (its manual, Appendix A); null when it did not come from a statement. */
  readonly sqlState: string | null;
  /** The constraint that refused, by name. */
  readonly constraint: string | null;

  constructor(
    code: StoreErrorCode,
    message: string,
    options?: ErrorOptions & { sqlState?: string | undefined; constraint?: string | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.sqlState = options?.sqlState ?? null;
    this.constraint = options?.constraint ?? null;
  }
}

const CODES: Readonly<Record<string, StoreErrorCode>> = { 23505: 'CONFLICT', 23503: 'REFERENCE' };

/**
 * What a statement threw, as ours. Drizzle's error quotes every parameter and PostgreSQL's `detail` the whole failing
 * row, so neither is kept as the cause; errors that are not the database's pass unchanged.
 */
export function fromStatement(error: unknown): unknown {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  if (cause instanceof DatabaseError) {
    return new StoreError(CODES[cause.code ?? ''] ?? 'QUERY', cause.message, {
      sqlState: cause.code,
      constraint: cause.constraint,
    });
  }
  if (!(error instanceof DrizzleQueryError)) return error;
  return new StoreError('LOST', error.cause?.message ?? 'the connection broke');
}
