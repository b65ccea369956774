export {
  BackupError,
  type BackupHeader,
  restoreBackup,
  saveBackup,
  type SavedBackup,
  verifyBackup,
} from './backup/index.ts';
export { type Channel, type ChannelSnapshot, openChannel } from './channel.ts';
export { openStore, type StoreOptions } from './connect.ts';
export type { DatabaseLocation } from './owner.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export { insertRows } from './insert-rows.ts';
export { keepNewest } from './keep-newest.ts';
export { lockUntilEnd } from './lock.ts';
export { migrationsFolder } from './migrate.ts';
export { rowSecurity } from './row-security.ts';
export type { Store, StoreSnapshot, Transaction } from './store.ts';
export * from './tables/index.ts';
