/** `openssl s_client` of DTLS 1.2 with one cipher, as words of a command line. */
export function opensslClient(port: number, cipher: string): string[] {
  // CCM-8 is below the default security level from OpenSSL 3.5 on. Without -nocommands it obeys a Q and an R.
  const only = ['-cipher', `${cipher}@SECLEVEL=0`, '-nocommands'];
  return ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${port}`, ...only];
}

/** `gnutls-cli` of DTLS 1.2 with one key exchange and one cipher, as words of a command line. */
export function gnutlsClient(port: number, keyExchange: string, cipher: string): string[] {
  const common = 'NONE:+VERS-DTLS1.2:+COMP-NULL:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+AEAD:+SHA256';
  const priority = `${common}:${keyExchange}:+${cipher}`;
  return ['-u', '--no-ca-verification', '--priority', priority, '-p', String(port), '127.0.0.1'];
}
