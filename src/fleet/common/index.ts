export { Batcher } from './batcher.ts';
export { changedFields, checkNotStale, laterThan, nextEdit, staleEdit } from './edit.ts';
export { FleetError, type FleetErrorCode } from './error.ts';
export type { Log } from './log.ts';
export { type Cursor, cursorOf, type Page, pageOf, type PageRequest, type PageWindow, windowOf } from './paging.ts';
export { Turns } from './turns.ts';
export { isUuid } from './uuid.ts';
