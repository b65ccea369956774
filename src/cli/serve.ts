import { Command } from 'commander';
import { readConfig, settings } from '../config.ts';
import type { Treeline } from '../main.ts';
import { fail } from './failure.ts';

/** A second signal, or this long after the first, and the process ends without waiting further. */
const DRAIN_MS = 4_500;

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serves GraphQL and LwM2M until it is told to stop (SIGINT or SIGTERM).')
    .addHelpText('after', settingsHelp())
    .action(async () => {
      try {
        const config = readConfig(process.env);
        // Loaded here, so that a wrong setting is told before the product is loaded.
        const { startTreeline } = await import('../main.ts');
        const treeline = await startTreeline(config);
        // Whatever device or caller is answered now would be answered wrongly: nothing is drained.
        void treeline.failed.then(fail);
        stopOnSignal(treeline);
        process.stdout.write(banner(treeline));
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
      process.stderr.write(`treeline: not drained within ${DRAIN_MS} ms, ending anyway\n`);
      process.exit(1);
    }, DRAIN_MS).unref();
    treeline.stop().then(() => {
      process.stdout.write('Stopped.\n');
      process.exit(0);
    }, fail);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function banner({ addresses, adminToken }: Treeline): string {
  const lines = [
    '',
    'Treeline is serving.',
    '',
    `  GraphQL     ${addresses.graphql}   POST, WebSocket and SSE; GraphiQL in a browser`,
    `  LwM2M       ${addresses.coap}   NoSec`,
    `              ${addresses.coapTcp}   NoSec`,
    `              ${addresses.coaps}   DTLS: PSK, raw public keys, X.509`,
    `              ${addresses.coapsTcp}   TLS: X.509`,
    `  Bootstrap   ${addresses.bootstrap}`,
    `  Database    ${addresses.database}`,
    `  Telemetry   ${addresses.telemetry}`,
    `  Health      ${addresses.health}`,
    '',
    '  Authenticate with the header   Authorization: Bearer <token>',
    ...(adminToken === null
      ? ['  The token is the one that the first start printed, or TREELINE_ADMIN_TOKEN.']
      : [`  Admin token, shown this once:  ${adminToken}`]),
    '',
    '  Ctrl-C stops it.',
    '',
    '',
  ];
  return lines.join('\n');
}

function settingsHelp(): string {
  const rows = Object.values(settings).map(
    ({ variable, fallback, meaning }) =>
      `  ${variable}${fallback === null ? '' : ` (${fallback || 'none'})`}\n      ${meaning}`,
  );
  return `\nSettings, by environment:\n${rows.join('\n')}`;
}
