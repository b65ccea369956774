import { createClient as createWebSocketClient, type Client as WebSocketClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { WebSocket } from 'ws';
import { SimulatedDevice } from '../../../src/simulator/index.ts';
import { ADMIN_TOKEN, runTreeline, type TreelineProcess } from '../../e2e/treeline-process.ts';

/** The endpoint name of the product's simulated device. */
export const ENDPOINT = 'urn:imei:490154203237518';
export const AUTHORIZATION = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** One HTTP request of a client and the status of its response. */
export interface SentRequest {
  readonly method: string;
  readonly url: URL;
  /** The parsed body of a POST; null for a GET. */
  readonly body: { readonly query?: string; readonly extensions?: object } | null;
  readonly status: number;
}

/** The product in its own process, with the embedded database and one simulated device that registered over UDP. */
export interface Product {
  readonly treeline: TreelineProcess;
  readonly device: SimulatedDevice;
  /** The requests that `fetch` sent, in order. */
  readonly sent: SentRequest[];
  /** `fetch` with the admin's token. */
  readonly fetch: typeof fetch;
  /** A client of graphql-ws with the admin's token, which reconnects. */
  webSockets(): WebSocketClient;
  /** Resolves when the product has one WebSocket with one subscription. */
  subscribed(): Promise<void>;
}

/**
 * Starts the product before the tests of a file (with further settings) and stops it after them. The returned function
 * has it meanwhile.
 */
export function useProduct(settings: Record<string, string> = {}): () => Product {
  let product: Product | undefined;
  const clients: WebSocketClient[] = [];

  beforeAll(async () => {
    const treeline = await runTreeline(settings);
    const device = simulatedDevice(treeline);
    await device.start();
    const sent: SentRequest[] = [];
    product = {
      treeline,
      device,
      sent,
      async fetch(input, init) {
        const request = new Request(input, init);
        request.headers.set('authorization', AUTHORIZATION.authorization);
        const body = request.method === 'POST' ? ((await request.clone().json()) as SentRequest['body']) : null;
        const response = await fetch(request);
        sent.push({ method: request.method, url: new URL(request.url), body, status: response.status });
        return response;
      },
      webSockets() {
        const client = createWebSocketClient({
          url: treeline.graphql.replace('http:', 'ws:'),
          webSocketImpl: WebSocket,
          connectionParams: { token: ADMIN_TOKEN },
        });
        clients.push(client);
        return client;
      },
      subscribed: () =>
        vi.waitFor(
          async () => {
            const metrics = await treeline.metrics();
            expect(metrics.match(/^treeline_subscribers\{what="(web_sockets|operations)"\} \d+$/gm)).toEqual([
              'treeline_subscribers{what="web_sockets"} 1',
              'treeline_subscribers{what="operations"} 2',
            ]);
          },
          { timeout: 20_000, interval: 50 },
        ),
    };
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.dispose()));
    await product?.device.stop();
    await product?.treeline.stop();
  });

  return () => {
    if (product === undefined) throw new Error('the product is not started');
    return product;
  };
}

/** A device of objects 1, 3, 5 and 3303 whose values change only when a test changes them. */
export function simulatedDevice({ coap }: TreelineProcess, endpoint = ENDPOINT): SimulatedDevice {
  const accounts = [{ server: coap, shortServerId: 123, lifetime: 300 }];
  return new SimulatedDevice({ endpoint, accounts, objects: [3303], driftMs: 0 });
}
