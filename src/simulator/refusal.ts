/** A refused request: the response code (Core 1.2 §6.3) and a diagnostic message. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** `4.04`, `4.05`, … */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export const badRequest = (message: string): Refusal => new Refusal('4.00', message);
export const unauthorized = (message: string): Refusal => new Refusal('4.01', message);
export const notFound = (message: string): Refusal => new Refusal('4.04', message);
export const notAllowed = (message: string): Refusal => new Refusal('4.05', message);
export const notAcceptable = (message: string): Refusal => new Refusal('4.06', message);
export const unsupportedFormat = (message: string): Refusal => new Refusal('4.15', message);
