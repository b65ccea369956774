import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Files that StrykerJS mutates in one run, and the test files that judge them. */
export interface Part {
  /** Files, or folders that end in `/` and stand for every file in them that no other part of the module names. */
  readonly sources: readonly string[];
  /**
   * Glob patterns. A mutant runs with every test that reaches it until one fails, so slow tests (floods, lossy networks)
   * are left out where quick ones state the same behaviour.
   */
  readonly tests: readonly string[];
  /** Texts are mutated too, because they guard something, for example as SQL. */
  readonly texts?: true;
}

/** The modules that guard something. `npm run mutation` runs all of them, `npm run mutation -- dtls` one of them. */
export const MODULES: Readonly<Record<string, readonly Part[]>> = {
  access: [
    {
      sources: ['src/fleet/access/roles.ts', 'src/fleet/access/token.ts'],
      tests: ['test/fleet/access/{roles,token}.test.ts'],
    },
    {
      sources: ['src/fleet/access/admin-token.ts', 'src/fleet/access/keys.ts'],
      tests: ['test/fleet/access/{key-input,access}.test.ts'],
    },
  ],
  credentials: [
    {
      sources: [
        'src/fleet/credentials/pending-reports.ts',
        'src/fleet/credentials/rules.ts',
        'src/fleet/credentials/seal.ts',
      ],
      tests: ['test/fleet/credentials/{pending-reports,rules,seal}.test.ts'],
    },
    {
      sources: ['src/fleet/credentials/handshake-log.ts'],
      tests: ['test/fleet/credentials/{credential-input,handshake-telling,handshake-log}.test.ts'],
    },
    {
      sources: ['src/fleet/credentials/'],
      tests: ['test/fleet/credentials/{credential-input,credential-book,credentials}.test.ts'],
    },
    {
      sources: ['src/fleet/bootstrap/factory-credentials.ts', 'src/fleet/bootstrap/fresh-credentials.ts'],
      tests: ['test/fleet/bootstrap/{factory-credentials,bootstrap}.test.ts'],
    },
    { sources: ['src/fleet/reseal.ts'], tests: ['test/fleet/reseal.test.ts'] },
  ],
  admission: [{ sources: ['src/fleet/presence/admission.ts'], tests: ['test/fleet/presence/admission.test.ts'] }],
  tenants: [{ sources: ['src/fleet/access/tenants.ts'], tests: ['test/fleet/access/tenants.test.ts'] }],
  'rpc-state': [{ sources: ['src/fleet/rpcs/rpc-state.ts'], tests: ['test/fleet/rpcs/rpc-state.test.ts'] }],
  'store-roles': [
    {
      sources: ['src/store/row-security.ts', 'src/store/store.ts'],
      tests: ['test/store/{row-security,store}.test.ts'],
      texts: true,
    },
  ],
  server: [
    {
      sources: ['src/server/authentication.ts', 'src/server/origin.ts', 'src/server/sessions.ts'],
      tests: ['test/server/{authentication,origin,sessions}.test.ts'],
    },
    {
      sources: ['src/server/masking.ts', 'src/server/subscriptions.ts'],
      tests: ['test/server/{masking,subscriptions}.test.ts'],
    },
    { sources: ['src/server/'], tests: ['test/server/{bounds,health,refusals,websocket}.test.ts'] },
  ],
  dtls: [
    {
      sources: [
        'src/dtls/address.ts',
        'src/dtls/alert.ts',
        'src/dtls/cookie.ts',
        'src/dtls/extensions.ts',
        'src/dtls/messages.ts',
        'src/dtls/negotiation.ts',
        'src/dtls/network-path.ts',
        'src/dtls/reassembly.ts',
        'src/dtls/record.ts',
        'src/dtls/replay.ts',
        'src/dtls/settings.ts',
        'src/dtls/token-bucket.ts',
        'src/dtls/wire.ts',
      ],
      tests: [
        'test/dtls/{address,alert,cookie,extensions,messages,negotiation,network-path}.test.ts',
        'test/dtls/{reassembly,record,replay,settings,token-bucket,wire}.test.ts',
      ],
    },
    {
      sources: [
        'src/dtls/certificate.ts',
        'src/dtls/certificate-path.ts',
        'src/dtls/certificate-trust.ts',
        'src/dtls/der.ts',
      ],
      tests: ['test/dtls/{certificate-path,der,server-identity}.test.ts'],
    },
    { sources: ['src/dtls/hello-gate.ts'], tests: ['test/dtls/hello-gate.test.ts'] },
    { sources: ['src/dtls/saved-sessions.ts'], tests: ['test/dtls/saved-sessions.test.ts'] },
    { sources: ['src/dtls/'], tests: ['test/dtls/**/!(fuzz|lossy-network|storm|ccm|hmac).test.ts'] },
  ],
  coap: [
    {
      sources: ['src/coap/block.ts', 'src/coap/option.ts', 'src/coap/parameters.ts'],
      tests: ['test/coap/{option,parameters}.test.ts'],
    },
    { sources: ['src/coap/tcp/tls.ts'], tests: ['test/coap/tcp-tls.test.ts'] },
    {
      sources: [
        'src/coap/blockwise.ts',
        'src/coap/body.ts',
        'src/coap/held-bodies.ts',
        'src/coap/served-body.ts',
        'src/coap/upload.ts',
      ],
      tests: ['test/coap/{blockwise,observe-blocks,served-body,upload}.test.ts'],
    },
  ],
  // Without hostile and round-trip: what they try at random, these state one by one.
  codec: [
    {
      sources: ['src/lwm2m/codec/cbor-reader.ts', 'src/lwm2m/codec/cbor-writer.ts'],
      tests: ['test/lwm2m/codec/{cbor,rules,vectors}.test.ts'],
    },
    {
      sources: ['src/lwm2m/codec/json-reader.ts'],
      tests: ['test/lwm2m/codec/{json,rules,vectors}.test.ts'],
    },
    {
      sources: ['src/lwm2m/codec/'],
      tests: ['test/lwm2m/codec/{rfc3339,rules,tlv,vectors}.test.ts'],
    },
  ],
};

/** The files of each part of a module. */
export function filesOf(parts: readonly Part[]): ReadonlyMap<Part, readonly string[]> {
  const named = new Set(parts.flatMap(({ sources }) => sources));
  const expand = (source: string): readonly string[] =>
    source.endsWith('/') ? filesBelow(source).filter((file) => !named.has(file)) : [source];
  return new Map(parts.map((part) => [part, part.sources.flatMap(expand)]));
}

function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}
