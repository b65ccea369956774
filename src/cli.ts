#!/usr/bin/env node
import { Command } from 'commander';
import { decodeCommand } from './cli/decode.ts';
import { deviceCommand } from './cli/device.ts';
import { encodeCommand } from './cli/encode.ts';
import { migrateCommand } from './cli/migrate.ts';
import { resealCommand } from './cli/reseal.ts';
import { schemaCommand } from './cli/schema.ts';
import { serveCommand } from './cli/serve.ts';

const program = new Command('treeline')
  .description('A GraphQL API for device management with an embedded LwM2M server.')
  .showHelpAfterError('(run treeline --help for the commands and options)');

for (const command of [
  serveCommand,
  deviceCommand,
  schemaCommand,
  migrateCommand,
  resealCommand,
  decodeCommand,
  encodeCommand,
]) {
  program.addCommand(command());
}

await program.parseAsync();
