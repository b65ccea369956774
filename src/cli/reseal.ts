import { Command } from 'commander';
import { readConfig, settings, type Config } from '../config/index.ts';
import { fail } from './failure.ts';

export function resealCommand(): Command {
  return new Command('reseal')
    .description(
      'Re-encrypts every secret in the database (device keys, bootstrap plans) with a new secret key and exits. Stop the server first.',
    )
    .option(
      '--new-key-file <file>',
      `file with the new key: 32 bytes in base64, readable only by you; required with ${settings.secretKey.variable}, otherwise a key is generated`,
    )
    .addHelpText(
      'after',
      `
The current key is ${settings.secretKey.variable}, or without it the file secret.key in ${settings.dataDir.variable}; reseal writes the new key to that file.
Either all secrets are re-encrypted or none. If the command is interrupted, run it again. It never prints keys.`,
    )
    .action(async ({ newKeyFile }: { newKeyFile?: string }) => {
      try {
        const config = readConfig(process.env);
        const count = await resealAll(config, newKeyFile ?? null);
        process.stdout.write(`Encrypted ${count} secrets with the new key.\n`);
        if (config.secretKey !== null) {
          process.stdout.write(`Set ${settings.secretKey.variable} to the new key before the next start.\n`);
        }
      } catch (error) {
        fail(error);
      }
    });
}

async function resealAll({ database, dataDir, secretKey: configured }: Config, file: string | null): Promise<number> {
  const { givenSecretKey, installNextSecretKey, nextSecretKey, presentSecretKey, secretKeyFile } =
    await import('../installation/index.ts');
  if (configured !== null && file === null) {
    throw new Error(`--new-key-file is required because ${settings.secretKey.variable} is set`);
  }
  const given = file === null ? null : await givenSecretKey(file);
  const [{ reseal, Seal }, { openStore }] = await Promise.all([
    import('../fleet/index.ts'),
    import('../store/index.ts'),
  ]);
  const store = await openStore({ database });
  try {
    const present = await presentSecretKey(configured, dataDir);
    if (present === null)
      throw new Error(`the present secret key ${secretKeyFile(dataDir)} does not exist; restore it`);
    if (configured !== null && given !== null) return await reseal(store, new Seal(present), new Seal(given));
    const next = await nextSecretKey(dataDir, given);
    const count = await reseal(store, new Seal(present), new Seal(next));
    await installNextSecretKey(dataDir);
    return count;
  } finally {
    await store.close();
  }
}
