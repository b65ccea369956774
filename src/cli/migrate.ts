import { Command } from 'commander';
import { readConfig } from '../config/index.ts';
import { fail } from './failure.ts';

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Migrates the database of DATABASE_URL, or the embedded database, to the current schema and exits.')
    .action(async () => {
      try {
        const { openStore } = await import('../store/index.ts');
        const store = await openStore({
          database: readConfig(process.env).database,
          onNotice: (text) => process.stderr.write(`treeline: ${text}\n`),
        });
        await store.close();
        process.stdout.write('The database has the current schema.\n');
      } catch (error) {
        fail(error);
      }
    });
}
