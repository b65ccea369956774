export type Cipher = 'AES_128_CCM_8' | 'AES_128_CCM' | 'AES_128_GCM' | 'AES_128_CBC';

export interface CipherSuite {
  readonly id: number;
  readonly name: SuiteName;
  readonly keyExchange: 'PSK' | 'ECDHE_ECDSA';
  readonly cipher: Cipher;
}

const PSK = 'PSK';
const ECDHE_ECDSA = 'ECDHE_ECDSA';

/**
 * The suites in the server's default order of preference. A device that offers PSK has a key, but a device that offers
 * ECDSA may have no certificate. All use SHA-256 in the PRF (RFC 5487, RFC 6655, RFC 7251, RFC 5289).
 */
export const SUITES = [
  { id: 0xc0a8, name: 'TLS_PSK_WITH_AES_128_CCM_8', keyExchange: PSK, cipher: 'AES_128_CCM_8' },
  { id: 0x00a8, name: 'TLS_PSK_WITH_AES_128_GCM_SHA256', keyExchange: PSK, cipher: 'AES_128_GCM' },
  { id: 0xc0a4, name: 'TLS_PSK_WITH_AES_128_CCM', keyExchange: PSK, cipher: 'AES_128_CCM' },
  { id: 0xc0ae, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', keyExchange: ECDHE_ECDSA, cipher: 'AES_128_CCM_8' },
  { id: 0xc02b, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', keyExchange: ECDHE_ECDSA, cipher: 'AES_128_GCM' },
  { id: 0xc0ac, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM', keyExchange: ECDHE_ECDSA, cipher: 'AES_128_CCM' },
  { id: 0xc023, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', keyExchange: ECDHE_ECDSA, cipher: 'AES_128_CBC' },
  { id: 0x00ae, name: 'TLS_PSK_WITH_AES_128_CBC_SHA256', keyExchange: PSK, cipher: 'AES_128_CBC' },
] as const;

export type SuiteName = (typeof SUITES)[number]['name'];

export function suiteNamed(name: string): CipherSuite | undefined {
  return SUITES.find((suite) => suite.name === name);
}
