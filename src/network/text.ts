const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/** The address as people write it: an IPv4 address that is mapped to IPv6 (RFC 4291 §2.5.5.2) as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(MAPPED_IPV4, '');
}

/** A host name or IP address as the host of a URI: an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function uriHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Address and port as one text: `192.0.2.7:5683`, `[2001:db8::7]:5683`. */
export function addressWithPort({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${uriHost(plainAddress(address))}:${port}`;
}

/** A network of `networkOf` as people write it: `192.0.2.7`, `2001:db8:0:7::/64`. */
export function networkText(network: string): string {
  return network.includes(':') ? `${network}::/64` : network;
}
