/** What one operation may cost. */
export interface CostLimits {
  readonly complexity: number;
  readonly depth: number;
}
