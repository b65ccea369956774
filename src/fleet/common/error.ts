/** Errors that the caller can correct; the schema has a type for each code. */
export type FleetErrorCode = 'VALIDATION' | 'NOT_FOUND' | 'CONFLICT' | 'FORBIDDEN' | 'DEVICE_UNREACHABLE';

export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  /** VALIDATION: which input is wrong, as a path into the input: `['values', '0', 'path']`. */
  readonly field: readonly string[];

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions & { field?: readonly string[] }) {
    super(message, options);
    this.code = code;
    this.field = options?.field ?? [];
  }
}
