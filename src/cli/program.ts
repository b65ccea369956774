import { Command } from 'commander';
import { backupCommand } from './backup.ts';
import { decodeCommand } from './decode.ts';
import { treelineVersion } from '../composition/version.ts';
import { deviceCommand } from './device.ts';
import { encodeCommand } from './encode.ts';
import { fail } from './failure.ts';
import { migrateCommand } from './migrate.ts';
import { resealCommand } from './reseal.ts';
import { restoreCommand } from './restore.ts';
import { schemaCommand } from './schema.ts';
import { serveCommand } from './serve.ts';

const program = new Command('treeline')
  .description('A GraphQL API for device management with an embedded LwM2M server.')
  .version(treelineVersion())
  .showHelpAfterError('(run treeline --help for the commands and options)');

for (const command of [
  serveCommand,
  deviceCommand,
  schemaCommand,
  migrateCommand,
  resealCommand,
  backupCommand,
  restoreCommand,
  decodeCommand,
  encodeCommand,
]) {
  program.addCommand(command());
}

// A reader that goes away, such as `| head`, must not end the process: the server still has to drain.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') fail(error);
  });
}

await program.parseAsync();
