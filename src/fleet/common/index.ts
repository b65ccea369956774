export { Batcher } from './batcher.ts';
export { DelayedWriter } from './delayed-writer.ts';
export { changedFields, checkNotStale, laterThan, nextEdit, staleEdit } from './edit.ts';
export { FleetError, type FleetErrorCode } from './error.ts';
export { LIMITS } from './limits.ts';
export type { Log } from './log.ts';
export {
  badCursor,
  type Cursor,
  LARGEST_PAGE,
  type Page,
  pageOf,
  type PageRequest,
  type PageWindow,
  windowOf,
} from './paging.ts';
export { RateBudget } from './rate-budget.ts';
export { charactersOf, limitsOf, shown, storable, type TextLimits, textProblem } from './text.ts';
export { Turns } from './turns.ts';
export { isUuid } from './uuid.ts';
