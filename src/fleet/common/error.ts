/** The codes of FleetError. The GraphQL schema has an error type for each code. */
export type FleetErrorCode = 'VALIDATION' | 'NOT_FOUND' | 'CONFLICT' | 'FORBIDDEN' | 'DEVICE_UNREACHABLE';

/** An error that the caller can correct, for example by another input. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  /** The path to the invalid input, such as `['values', '0', 'path']`. Empty if the error has no field. */
  readonly field: readonly string[];

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions & { field?: readonly string[] }) {
    super(message, options);
    this.code = code;
    this.field = options?.field ?? [];
  }
}
