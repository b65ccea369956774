import { DtlsTunnel } from './dtls-tunnel.ts';
import type { ServerAddress } from './server-address.ts';
import { TcpTunnel } from './tcp-tunnel.ts';

/** A loopback port whose datagrams get to the server in another way than by plain UDP, which is all that node-coap knows. */
export interface Tunnel {
  /** Of the loopback, where the server seems to be. */
  readonly port: number;
  close(): Promise<void>;
}

export interface TunnelEvents {
  log(line: string): void;
  /** A connection that was open is gone, and what was asked by it gets no answer. */
  lost(): void;
}

/** Null where none is needed. Rejects when the server's name is unknown or no port is free. */
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
