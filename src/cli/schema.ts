import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { fail } from './failure.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('Prints the GraphQL schema (SDL).')
    .option('--out <file>', 'write the schema to this file instead')
    .action(async ({ out }: { out?: string }) => {
      try {
        const { printedSchema } = await import('../../schema/index.ts');
        if (out === undefined) process.stdout.write(printedSchema());
        else await writeFile(out, printedSchema());
      } catch (error) {
        fail(error);
      }
    });
}
