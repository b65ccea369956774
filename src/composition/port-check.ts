import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { settings, type Config, type Setting } from '../config/index.ts';

/** A port that can't be opened. The message names the host or port and its setting. */
export class PortError extends Error {
  override readonly name = 'PortError';
}

/**
 * Opens and closes every configured port. Rejects with PortError for the first that can't be opened: opening the
 * database takes seconds, so a port that is in use is reported before.
 */
export async function checkPorts({ http, coap, coaps, bootstrap }: Config): Promise<void> {
  const { httpHost, httpPort, coapHost, coapPort, coapsHost, coapsPort, bootstrapPort, bootstrapCoapsPort } = settings;
  await tryTcp(http.host, http.port).catch(refused(http.host, http.port, httpHost, httpPort));
  await tryUdp(coap.host, coap.port).catch(refused(coap.host, coap.port, coapHost, coapPort));
  await tryTcp(coap.host, coap.port).catch(refused(coap.host, coap.port, coapHost, coapPort));
  await tryUdp(coap.host, bootstrap.port).catch(refused(coap.host, bootstrap.port, coapHost, bootstrapPort));
  for (const host of coaps.hosts) {
    await tryUdp(host, coaps.port).catch(refused(host, coaps.port, coapsHost, coapsPort));
    await tryTcp(host, coaps.port).catch(refused(host, coaps.port, coapsHost, coapsPort));
    const port = bootstrap.coapsPort;
    await tryUdp(host, port).catch(refused(host, port, coapsHost, bootstrapCoapsPort));
  }
}

/** These errors concern the port; others concern the host. */
const PORT_ERRORS: readonly string[] = ['EADDRINUSE', 'EACCES'];

function refused(host: string, port: number, ofHost: Setting, ofPort: Setting): (error: unknown) => never {
  return (error) => {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (!PORT_ERRORS.includes(reason)) {
      throw new PortError(
        `${ofHost.variable}: this machine can’t listen on ${JSON.stringify(host)} (${reason}); it must be one of its own addresses`,
        { cause: error },
      );
    }
    const words = reason === 'EADDRINUSE' ? 'is in use' : `can’t be opened (${reason})`;
    throw new PortError(`${host} port ${port} ${words}; set another with ${ofPort.variable}`, { cause: error });
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
