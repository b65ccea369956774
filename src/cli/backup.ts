import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Command } from 'commander';
import { treelineVersion } from '../composition/version.ts';
import { readConfig, settings } from '../config/index.ts';
import { fail } from './failure.ts';

export function backupCommand(): Command {
  return new Command('backup')
    .description('Writes a backup of the whole database to a file and exits.')
    .argument('<file>', 'the file to write, which is replaced when the backup is complete; - writes to standard output')
    .addHelpText(
      'after',
      `
The database is DATABASE_URL, or the embedded one in ${settings.dataDir.variable}. On Postgres, servers may run meanwhile; the backup is the state at one moment.
A server that uses the embedded database has to be stopped first.
The file has no secret key. Keep ${settings.secretKey.variable}, or secret.key of ${settings.dataDir.variable}, too: a restored database needs it.`,
    )
    .action(async (file: string) => {
      try {
        const summary = await backup(file);
        // Standard output may be the backup.
        process.stderr.write(`${summary}\n`);
      } catch (error) {
        fail(error);
      }
    });
}

async function backup(file: string): Promise<string> {
  const { database } = readConfig(process.env);
  const { saveBackup, StoreError } = await import('../store/index.ts');
  const unfinished = `${file}.unfinished`;
  const output = file === '-' ? process.stdout : createWriteStream(unfinished, { mode: 0o600, flush: true });
  try {
    const saved = await saveBackup({ database, version: treelineVersion(), at: new Date() }, output);
    if (file !== '-') await rename(unfinished, file);
    return `Saved ${saved.rows} rows of ${saved.tables} tables.`;
  } catch (error) {
    if (file !== '-') await rm(unfinished, { force: true });
    if (error instanceof StoreError && error.code === 'IN_USE') {
      throw new Error(`${error.message}: stop the server for the backup of an embedded database`, { cause: error });
    }
    throw error;
  }
}
