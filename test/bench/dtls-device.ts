import { generateKeyPairSync } from 'node:crypto';

import { systemClock } from '../../src/clock.ts';
import {
  createServerIdentity,
  type CredentialSource,
  loadServerIdentity,
  type ServerIdentity,
} from '../../src/dtls/index.ts';
import { Client, type ClientSession } from '../dtls/client.ts';

const PSK = { identity: 'device', key: Buffer.alloc(16, 7) };
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Answers immediately, so that only DTLS is measured. */
export const BENCH_CREDENTIALS: CredentialSource = {
  psk: async () => ({ key: PSK.key, credential: 'psk' }),
  rawPublicKey: async () => ({ credential: 'rpk' }),
  certificate: async () => ({ credential: 'x509' }),
};

export function benchIdentity(): ServerIdentity {
  return loadServerIdentity(createServerIdentity({ commonName: 'bench', names: [], now: Date.now(), days: 1 }));
}

export type HandshakeKind = 'PSK-CCM-8' | 'ECDHE-ECDSA-CCM-8 with raw public keys' | 'resumption';

export function benchClient(kind: HandshakeKind, transmit: (datagram: Buffer) => void, resume?: ClientSession): Client {
  const common = { clock: systemClock, transmit, psk: PSK, ...(resume ? { resume } : {}) };
  return kind === 'ECDHE-ECDSA-CCM-8 with raw public keys'
    ? new Client({
        ...common,
        suites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
        certificate: { privateKey, chain: [] },
        certificateType: 'RawPublicKey',
      })
    : new Client({ ...common, suites: ['TLS_PSK_WITH_AES_128_CCM_8'] });
}
