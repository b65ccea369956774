import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { uriHost } from '../network/index.ts';
import { ServerError } from './error.ts';
import type { HttpSettings, TlsIdentity } from './settings.ts';

/** Most milliseconds of a TLS handshake. */
const HANDSHAKE_MS = 10_000;

/** The listening socket of the API, with TLS or without. */
export interface Listener {
  readonly server: Server;
  readonly scheme: 'http' | 'https';
  /** Rejects with ServerError PORT_IN_USE or CANNOT_LISTEN, which names host and port. Resolves with the port. */
  listen(): Promise<number>;
  /** Uses the certificate for the connections that open from now on. Only with TLS. */
  useCertificate(identity: TlsIdentity): void;
  /** Closes all connections, also those whose TLS handshake has not ended. */
  closeAllConnections(): void;
}

export function createListener(settings: HttpSettings, maxConnections: number, answer: RequestListener): Listener {
  const { tls, host, port } = settings;
  const secure = tls ? createHttpsServer({ ...pem(tls), handshakeTimeout: HANDSHAKE_MS }, answer) : null;
  const server: Server = secure ?? createServer(answer);
  server.maxConnections = maxConnections;
  server.keepAliveTimeout = settings.keepAliveMs;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    scheme: secure ? 'https' : 'http',
    async listen() {
      await listening(server, host, port);
      // A listening TCP server has an AddressInfo.
      return (server.address() as AddressInfo).port;
    },
    useCertificate: (identity) => secure?.setSecureContext(pem(identity)),
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function pem({ certificate, key }: TlsIdentity): { cert: string; key: string } {
  return { cert: certificate, key };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const place = `${uriHost(host)}:${port}`;
      reject(
        error.code === 'EADDRINUSE'
          ? new ServerError('PORT_IN_USE', `cannot listen on ${place}: the port is in use`, { cause: error })
          : new ServerError('CANNOT_LISTEN', `cannot listen on ${place}: ${error.message}`, { cause: error }),
      );
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
