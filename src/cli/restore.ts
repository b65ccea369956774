import { Command } from 'commander';
import { readConfig, settings, type Config } from '../config/index.ts';
import { fail } from './failure.ts';

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Restores a backup into an empty database and exits.')
    .argument('<file>', 'a file of treeline backup')
    .addHelpText(
      'after',
      `
The database is DATABASE_URL, or the embedded one in ${settings.dataDir.variable}. It may be of the other kind than that of the backup.
The whole file is checked first. It is restored completely or not at all, and migrated to the schema of this version.
The server needs the secret key that the database of the backup had: ${settings.secretKey.variable}, or secret.key in ${settings.dataDir.variable}.`,
    )
    .action(async (file: string) => {
      try {
        for (const line of await restore(readConfig(process.env), file)) process.stdout.write(`${line}\n`);
      } catch (error) {
        fail(error);
      }
    });
}

async function restore(config: Config, file: string): Promise<string[]> {
  const { restoreBackup, verifyBackup } = await import('../store/index.ts');
  const { keyForBackup } = await import('../composition/secret-key.ts');
  const { makePrivate } = await import('../installation/index.ts');
  const { header, rows } = await verifyBackup(file);
  const missing = await keyForBackup(config, header.secretKey);
  const { database, dataDir } = config;
  if (database.kind === 'embedded') await makePrivate(dataDir);
  await restoreBackup({
    database,
    file,
    header,
    onNotice: (text) => process.stderr.write(`treeline: ${text}\n`),
  });
  return [
    `Restored ${rows} rows, as the database was at ${header.createdAt} (Treeline ${header.version}).`,
    ...(missing === null
      ? []
      : [`Before the start, put the secret key of the backup into ${missing}, or set ${settings.secretKey.variable}.`]),
  ];
}
