import { DrizzleQueryError } from 'drizzle-orm/errors';
import { DatabaseError } from 'pg';

export type StoreErrorCode =
  /** Postgres does not answer at its address, or refuses the connection. */
  | 'UNREACHABLE'
  /** Another process uses the embedded database's directory. */
  | 'IN_USE'
  /** The embedded database's files can't be opened, or a migration failed. */
  | 'CANNOT_OPEN'
  /** All connections are in use: those of the pool, or those that Postgres allows. */
  | 'BUSY'
  /** The connection broke or did not answer in time, or the embedded database ended, before the result arrived. */
  | 'LOST'
  /** A unique constraint was violated: see `constraint`. */
  | 'CONFLICT'
  /** A foreign key was violated: see `constraint`. */
  | 'REFERENCE'
  /** A transaction was started inside a transaction: in a pool of one connection it would wait for itself. */
  | 'NESTED'
  /** A statement failed for another reason: see `sqlState`. */
  | 'QUERY';

/** The error class of the store. It never contains a statement's parameters, because they may be secrets. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The SQLSTATE of five characters (PostgreSQL manual, Appendix A); null when no statement failed. */
  readonly sqlState: string | null;
  /** The name of the violated constraint. */
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

  /**
   * True if the database did not work, so that the same statement can succeed later: a broken connection, no free one,
   * a lock that was not free in time, or SQLSTATE class 08 (connection), 53 (resources), 57 (operator intervention) or
   * 58 (system error). False if the statement or its data is the reason.
   */
  get unavailable(): boolean {
    if (this.code === 'LOST' || this.code === 'UNREACHABLE' || this.code === 'BUSY') return true;
    if (this.sqlState === LOCK_NOT_AVAILABLE) return true;
    return UNAVAILABLE.has(this.sqlState?.slice(0, 2) ?? '');
  }
}

/** The classes of PostgreSQL's manual, Appendix A. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

const CODES: Readonly<Record<string, StoreErrorCode>> = { 23505: 'CONFLICT', 23503: 'REFERENCE', 53300: 'BUSY' };

/** A wait for a lock took longer than `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** What `pg` says when a statement has no result in time: the connection is then of no use. */
const NO_ANSWER = 'Query read timeout';
/** What `pg` says when the pool has no free connection in time. */
const POOL_IN_USE = 'timeout exceeded when trying to connect';

/**
 * Converts an error of a statement to a StoreError. It keeps neither as the cause: Drizzle's error contains every
 * parameter and PostgreSQL's `detail` the whole failing row. Errors of other origin are returned unchanged.
 */
export function fromStatement(error: unknown): unknown {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  if (cause instanceof DatabaseError) {
    // Which row or table the wait was for; it has no values.
    const place = cause.code === LOCK_NOT_AVAILABLE && cause.where ? ` ${cause.where}` : '';
    return new StoreError(CODES[cause.code ?? ''] ?? 'QUERY', `${cause.message}${place}`, {
      sqlState: cause.code,
      constraint: cause.constraint,
    });
  }
  if (!(error instanceof DrizzleQueryError)) return error;
  // The driver could not encode a parameter: the connection is not broken.
  if (cause instanceof TypeError || cause instanceof RangeError) return new StoreError('QUERY', cause.message);
  return lost(error.cause?.message ?? 'the connection broke');
}

function lost(message: string): StoreError {
  if (message === NO_ANSWER) return new StoreError('LOST', 'the database did not answer in time');
  if (message === POOL_IN_USE) return new StoreError('BUSY', 'no database connection became free in time');
  return new StoreError('LOST', message);
}

/** Converts an error of connecting, or of a statement that Drizzle did not run, to a StoreError. */
export function fromConnection(error: unknown): StoreError {
  const known = fromStatement(error);
  if (known instanceof StoreError) return known;
  return lost(error instanceof Error ? error.message : String(error));
}
