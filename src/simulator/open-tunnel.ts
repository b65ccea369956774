import { DtlsTunnel } from './dtls-tunnel.ts';
import type { ServerAddress } from './server-address.ts';
import { TcpTunnel } from './tcp-tunnel.ts';
import type { Tunnel, TunnelEvents } from './tunnel.ts';

/**
 * Opens the tunnel that the server's channel needs; null for plain UDP. Rejects when the server's name is unknown or no
 * port is free.
 */
export async function openTunnel(server: ServerAddress, events: TunnelEvents): Promise<Tunnel | null> {
  const { channel = { kind: 'udp' } } = server;
  switch (channel.kind) {
    case 'udp':
      return null;
    case 'dtls':
      return DtlsTunnel.open(server, channel.psk, events.log);
    case 'tcp':
      return TcpTunnel.open(server, null, events);
    case 'tls':
      return TcpTunnel.open(server, channel.credentials, events);
  }
}
