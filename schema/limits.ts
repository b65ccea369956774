/** The highest cost that one operation may have. */
export interface CostLimits {
  readonly complexity: number;
  readonly depth: number;
}
