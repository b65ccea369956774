import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import {
  PEERS_DIRECTORY,
  POSTGRES_VERSIONS,
  postgresProgram,
  program,
  relayCompiler,
  SYSTEM_DIRECTORIES,
} from './program.ts';

export type PeerName =
  | 'kafka'
  | 'leshan'
  | 'libcoap'
  | 'postgres'
  | 'openssl'
  | 'gnutls'
  | 'kcat'
  | 'chromium'
  | 'pgbouncer'
  | 'nginx'
  | 'caddy'
  | 'relay';

const installed: Readonly<Record<PeerName, () => boolean>> = {
  kafka: () => program('java') !== null && existsSync(join(PEERS_DIRECTORY, 'kafka/pom.xml')),
  leshan: () => program('java') !== null && ['leshan', 'leshan1'].every(isCompiled),
  libcoap: () => program('coap-client-notls') !== null && existsSync(join(PEERS_DIRECTORY, 'libcoap/device-gnutls')),
  postgres: () => [null, ...POSTGRES_VERSIONS].every((version) => postgresProgram('initdb', version) !== null),
  openssl: () => program('openssl') !== null,
  gnutls: () => program('gnutls-cli') !== null,
  kcat: () => program('kcat') !== null,
  chromium: () => program('chromium') !== null,
  pgbouncer: () => program('pgbouncer', SYSTEM_DIRECTORIES) !== null,
  nginx: () => program('nginx', SYSTEM_DIRECTORIES) !== null,
  caddy: () => program('caddy') !== null,
  relay: () => relayCompiler() !== null,
};

/**
 * `describe` for tests that need these peers: `requirePeer('kafka')('the publisher', () => …)`. Without one of them the
 * tests are skipped by name; CI must have them all, so there it throws.
 */
export function requirePeer(...names: readonly PeerName[]): (title: string, tests: () => void) => void {
  const absent = names.filter((name) => !installed[name]());
  if (absent.length === 0) return (title, tests) => void describe(title, tests);
  const message = `needs ${absent.join(', ')}: run npm run test:peers, which installs it`;
  if (process.env['CI'] === 'true') throw new Error(message);
  return (title, tests) => void describe.skip(`${title} (${message})`, tests);
}

function isCompiled(peer: string): boolean {
  return existsSync(join(PEERS_DIRECTORY, peer, 'classes'));
}
