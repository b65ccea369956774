/** Unpredictable bytes; `randomBytes` of node:crypto outside of tests. */
export type Random = (size: number) => Buffer;
