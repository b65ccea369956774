import type { Config } from './config.ts';
import { ConfigError } from './reader.ts';
import { settings } from './settings.ts';

interface Listener {
  readonly variable: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly hosts: readonly string[];
  readonly port: number;
}

const EVERYWHERE: readonly string[] = ['::', '0.0.0.0'];

/** Throws ConfigError for two settings that use one port of one address. Port 0 is any free port. */
export function refuseSharedPorts({ http, coap, coaps, bootstrap }: Config): void {
  const { httpPort, coapPort, coapsPort, bootstrapPort, bootstrapCoapsPort } = settings;
  const [open, secured] = [[coap.host], coaps.hosts];
  const listeners: Listener[] = [
    { variable: httpPort.variable, protocol: 'TCP', hosts: [http.host], port: http.port },
    { variable: coapPort.variable, protocol: 'TCP', hosts: open, port: coap.port },
    { variable: coapsPort.variable, protocol: 'TCP', hosts: secured, port: coaps.port },
    { variable: coapPort.variable, protocol: 'UDP', hosts: open, port: coap.port },
    { variable: coapsPort.variable, protocol: 'UDP', hosts: secured, port: coaps.port },
    { variable: bootstrapPort.variable, protocol: 'UDP', hosts: open, port: bootstrap.port },
    { variable: bootstrapCoapsPort.variable, protocol: 'UDP', hosts: secured, port: bootstrap.coapsPort },
  ];
  for (const [index, one] of listeners.entries()) {
    const other = listeners.slice(index + 1).find((candidate) => collide(one, candidate));
    if (other === undefined) continue;
    throw new ConfigError(
      `${one.variable} and ${other.variable} are both ${one.port}; ${one.protocol} needs a port of its own for each`,
    );
  }
}

function collide(one: Listener, other: Listener): boolean {
  if (one.protocol !== other.protocol || one.port !== other.port || one.port === 0) return false;
  return one.hosts.some((host) => other.hosts.some((another) => overlap(host, another)));
}

function overlap(one: string, other: string): boolean {
  const [first, second] = [addressOf(one), addressOf(other)];
  return first === second || EVERYWHERE.includes(first) || EVERYWHERE.includes(second);
}

function addressOf(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}
