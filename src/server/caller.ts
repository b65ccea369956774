import type { Actor } from '../fleet/index.ts';

/** The caller of a request. */
export interface Caller {
  readonly actor: Actor;
  /** Over HTTP: ends the connection without an end of the response. */
  readonly cut?: () => void;
}
