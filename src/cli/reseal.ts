import { Command } from 'commander';
import { readConfig, settings, type Config } from '../config.ts';
import { fail } from './failure.ts';

export function resealCommand(): Command {
  return new Command('reseal')
    .description(
      'Encrypts every secret in the database (device keys, bootstrap plans) anew, under another secret key, and ends. Stop the server first.',
    )
    .option(
      '--new-key-file <file>',
      `the new key: 32 bytes in base64, in a file that only you may read; wanted with ${settings.secretKey.variable}, else made`,
    )
    .addHelpText(
      'after',
      `
The key in use is that of ${settings.secretKey.variable}, else of secret.key in ${settings.dataDir.variable}, which then holds the new one.
All secrets are encrypted anew, or none. When it was interrupted, run it again. Keys are never printed.`,
    )
    .action(async ({ newKeyFile }: { newKeyFile?: string }) => {
      try {
        const config = readConfig(process.env);
        const count = await resealAll(config, newKeyFile ?? null);
        process.stdout.write(`${count} secrets are encrypted under the new key.\n`);
        if (config.secretKey !== null) {
          process.stdout.write(`Set ${settings.secretKey.variable} to it before the next start.\n`);
        }
      } catch (error) {
        fail(error);
      }
    });
}

async function resealAll({ database, dataDir, secretKey: configured }: Config, file: string | null): Promise<number> {
  const { givenSecretKey, installNextSecretKey, nextSecretKey, secretKey } = await import('../installation/index.ts');
  if (configured !== null && file === null) {
    throw new Error(`--new-key-file is wanted: the key in use is that of ${settings.secretKey.variable}`);
  }
  const given = file === null ? null : await givenSecretKey(file);
  const [{ reseal, Seal }, { openStore }] = await Promise.all([
    import('../fleet/index.ts'),
    import('../store/index.ts'),
  ]);
  const store = await openStore({ database });
  try {
    const present = await secretKey(configured, dataDir);
    if (configured !== null && given !== null) return await reseal(store, new Seal(present), new Seal(given));
    const next = await nextSecretKey(dataDir, given);
    const count = await reseal(store, new Seal(present), new Seal(next));
    await installNextSecretKey(dataDir);
    return count;
  } finally {
    await store.close();
  }
}
