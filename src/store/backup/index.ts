export { BackupError, type BackupHeader } from './format.ts';
export { verifyBackup } from './read.ts';
export { restoreBackup } from './restore.ts';
export { saveBackup, type SavedBackup } from './save.ts';
