/** A CoAP request, independent of the transport. */
export interface CoapRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'iPATCH';
  /** The values of the Uri-Path options. */
  readonly path: readonly string[];
  /** The values of the Uri-Query options: `name=value` or `name`. */
  readonly query: readonly string[];
  readonly accept: number | null;
  readonly contentFormat: number | null;
  /** 0 registers, 1 cancels (RFC 7641 §2). */
  readonly observe: number | null;
  /** In hex. */
  readonly token: string;
  readonly payload: Uint8Array;
}

export interface CoapResponse {
  /** For example `2.05`. */
  readonly code: string;
  readonly contentFormat?: number;
  readonly locationPath?: readonly string[];
  readonly payload?: Uint8Array;
}
