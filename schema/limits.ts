/** The highest cost that one operation may have, and the size of its response. */
export interface CostLimits {
  readonly complexity: number;
  readonly depth: number;
  /** Bytes of the response of one operation, and of the result of one event of a subscription. */
  readonly responseBytes: number;
}
