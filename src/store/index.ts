export { openStore, type DatabaseLocation, type StoreOptions } from './connect.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export { insertRows } from './insert-rows.ts';
export { migrationsFolder } from './migrate.ts';
export { rowSecurity } from './row-security.ts';
export type { Store, Transaction } from './store.ts';
export * from './tables/index.ts';
