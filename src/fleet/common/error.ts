/** The codes of FleetError. The GraphQL schema has an error type for each code. */
export type FleetErrorCode =
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'FORBIDDEN'
  | 'DEVICE_UNREACHABLE'
  | 'DEVICE_DELETED';

/** How a row was changed since a caller read it. */
export interface StaleEdit {
  /** The fields that were changed. Empty if the times of the fields are unknown. */
  readonly changed: readonly string[];
  /** When the row was last changed; null if it no longer exists. */
  readonly updatedAt: Date | null;
}

/** An error that the caller can correct, for example by another input. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  /** The path to the invalid input, such as `['values', '0', 'path']`. Empty if the error has no field. */
  readonly field: readonly string[];
  /** For a CONFLICT because the row was changed since the caller read it; else null. */
  readonly stale: StaleEdit | null;

  constructor(
    code: FleetErrorCode,
    message: string,
    options?: ErrorOptions & { field?: readonly string[]; stale?: StaleEdit },
  ) {
    super(message, options);
    this.code = code;
    this.field = options?.field ?? [];
    this.stale = options?.stale ?? null;
  }
}
