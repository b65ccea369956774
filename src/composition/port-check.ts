import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { settings, type Config } from '../config/index.ts';

/** A port that can't be opened. The message names the port and its setting. */
export class PortError extends Error {
  override readonly name = 'PortError';
}

/**
 * Opens and closes every configured port. Rejects with PortError for the first that can't be opened: opening the
 * database takes seconds, so a port that is in use is reported before.
 */
export async function checkPorts({ http, coap, coaps, bootstrap }: Config): Promise<void> {
  await tryTcp(http.host, http.port).catch(refused(settings.httpPort.variable, http));
  await tryUdp(coap.host, coap.port).catch(refused(settings.coapPort.variable, coap));
  await tryTcp(coap.host, coap.port).catch(refused(settings.coapPort.variable, coap));
  const beside = { host: coap.host, port: bootstrap.port };
  await tryUdp(beside.host, beside.port).catch(refused(settings.bootstrapPort.variable, beside));
  for (const host of coaps.hosts) {
    const secure = { host, port: coaps.port };
    await tryUdp(host, secure.port).catch(refused(settings.coapsPort.variable, secure));
    await tryTcp(host, secure.port).catch(refused(settings.coapsPort.variable, secure));
    const secured = { host, port: bootstrap.coapsPort };
    await tryUdp(host, secured.port).catch(refused(settings.bootstrapCoapsPort.variable, secured));
  }
}

function refused(variable: string, { host, port }: { host: string; port: number }): (error: unknown) => never {
  return (error) => {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const words = reason === 'EADDRINUSE' ? 'is in use' : `can't be opened (${reason})`;
    throw new PortError(`${host} port ${port} ${words}; set another with ${variable}`, { cause: error });
  };
}

function tryTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

function tryUdp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(resolve));
  });
}
