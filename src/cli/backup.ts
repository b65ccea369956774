import { open, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { Command } from 'commander';
import { treelineVersion } from '../composition/version.ts';
import { readConfig, settings, type Config } from '../config/index.ts';
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
  if (file === '-') return save(database, process.stdout);
  const present = await stat(file).catch(() => null);
  if (present?.isFile() === false) throw new Error(`${file} exists and is not a file`);
  // An earlier backup of this name stays until the new one is complete.
  const unfinished = `${file}.unfinished`;
  const handle = await open(unfinished, 'w', 0o600);
  try {
    const summary = await save(database, handle.createWriteStream({ flush: true }));
    await rename(unfinished, file);
    return summary;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function save(database: Config['database'], output: Writable): Promise<string> {
  const { saveBackup, StoreError } = await import('../store/index.ts');
  try {
    const { rows, tables } = await saveBackup({ database, version: treelineVersion(), at: new Date() }, output);
    return `Saved ${rows} rows of ${tables} tables.`;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'IN_USE') {
      throw new Error(`${error.message}: stop the server for the backup of an embedded database`, { cause: error });
    }
    throw error;
  }
}
