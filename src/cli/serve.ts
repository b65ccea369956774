import { Command } from 'commander';
import type { Addresses } from '../composition/addresses.ts';
import { readConfig, settings, type Config } from '../config/index.ts';
import type { Treeline } from '../main.ts';
import { fail } from './failure.ts';

/** The process exits without waiting further this long after the first signal, or at a second signal. */
const DRAIN_MS = 4_500;

export function serveCommand(): Command {
  return new Command('serve')
    .description('Runs the GraphQL and LwM2M servers until it receives SIGINT, SIGTERM or SIGHUP.')
    .addHelpText('after', settingsHelp())
    .action(async () => {
      try {
        const config = readConfig(process.env);
        // Imported here, so that an invalid setting is reported before the server's code is loaded.
        const { startTreeline } = await import('../main.ts');
        const treeline = await startTreeline(config);
        // No draining: without the database, every answer to a device or caller would be wrong.
        void treeline.failed.then(fail);
        stopOnSignal(treeline);
        process.stdout.write(banner(treeline, config.http));
      } catch (error) {
        fail(error);
      }
    });
}

function stopOnSignal(treeline: Treeline): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    process.stdout.write('\nDraining…\n');
    setTimeout(() => {
      process.stderr.write(`treeline: draining took longer than ${DRAIN_MS} ms; exiting now\n`);
      process.exit(1);
    }, DRAIN_MS).unref();
    treeline.stop().then(() => {
      process.stdout.write('Stopped.\n');
      process.exit(0);
    }, fail);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // The terminal was closed.
  process.on('SIGHUP', stop);
}

function banner({ addresses, adminToken }: Treeline, http: Config['http']): string {
  const lines = [
    '',
    'Treeline is running.',
    '',
    `  GraphQL     ${addresses.graphql}   POST, WebSocket and SSE${http.graphiql ? '; GraphiQL in a browser' : ''}`,
    `  Web pages   ${pagesOf(addresses, http)} may call it`,
    `  LwM2M       ${addresses.coap}   NoSec`,
    `              ${addresses.coapTcp}   NoSec`,
    `              ${addresses.coaps}   DTLS: PSK, raw public keys, X.509`,
    `              ${addresses.coapsTcp}   TLS: X.509`,
    `  Bootstrap   ${addresses.bootstrap}`,
    `  Database    ${addresses.database}`,
    `  Telemetry   ${addresses.telemetry}`,
    `  Health      ${addresses.health}`,
    '',
    '  Send this header with every request:   Authorization: Bearer <token>',
    ...(adminToken === null
      ? ['  The token is TREELINE_ADMIN_TOKEN, or the token that the first start printed.']
      : [`  Admin token (printed only once):       ${adminToken}`]),
    '',
    '  Press Ctrl-C to stop.',
    '',
    '',
  ];
  return lines.join('\n');
}

/** The origins of the web pages that may call the API. */
function pagesOf({ graphql }: Addresses, { publicUrl, localPages, allowedOrigins }: Config['http']): string {
  const own = publicUrl ?? new URL(graphql).origin;
  return [own, ...(localPages ? ['localhost (any port)'] : []), ...allowedOrigins].join(', ');
}

function settingsHelp(): string {
  const rows = Object.values(settings).map(
    ({ variable, fallback, meaning }) =>
      `  ${variable}${fallback === null ? '' : ` (${fallback || 'none'})`}\n      ${meaning}`,
  );
  return `\nSettings (environment variables, with their defaults):\n${rows.join('\n')}`;
}
