import { createClient, type Client } from 'graphql-sse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  freshInstallation,
  runTreeline,
  until,
  type Installation,
  type TreelineProcess,
} from '../../e2e/treeline-process.ts';
import { freePort } from '../peers/index.ts';
import { AUTHORIZATION, ENDPOINT, simulatedDevice } from './product.ts';

const STATUSES = 'subscription { deviceStatusChanged { status endpoint } }';
const ONLINE = { data: { deviceStatusChanged: { status: 'ONLINE', endpoint: ENDPOINT } } };

function firstOnline(client: Client): Promise<unknown> {
  const events = client.iterate<{ deviceStatusChanged: { status: string } }>({ query: STATUSES });
  return until(events, ({ data }) => data?.deviceStatusChanged.status === 'ONLINE', 60_000);
}

describe('the client of graphql-sse, with a connection for each subscription', () => {
  let installation: Installation;
  let settings: Record<string, string>;
  let treeline: TreelineProcess;
  let client: Client | undefined;

  beforeAll(async () => {
    installation = await freshInstallation();
    settings = { ...installation.settings, TREELINE_HTTP_PORT: String(await freePort()) };
    treeline = await runTreeline(settings);
  });
  afterEach(() => client?.dispose());
  afterAll(async () => {
    await treeline?.stop();
    await installation?.drop();
  });

  /** Counts its connections; resolves `connected` when it has made the given number of them. */
  function connect(): { readonly client: Client; connected(count: number): Promise<void> } {
    let connections = 0;
    let heard: (() => void) | undefined;
    client = createClient({
      url: treeline.graphql,
      headers: AUTHORIZATION,
      retryAttempts: Infinity,
      retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
      on: { connected: () => (connections++, heard?.()) },
    });
    const connected = (count: number): Promise<void> =>
      new Promise((resolve) => {
        heard = () => connections >= count && resolve();
        heard();
      });
    return { client, connected };
  }

  it('receives events, and a query’s result followed by its end', async () => {
    const { client: sse, connected } = connect();
    const online = firstOnline(sse);
    await connected(1);
    const device = simulatedDevice(treeline);
    await device.start();
    try {
      expect(await online).toMatchObject(ONLINE);
      const results = sse.iterate({ query: '{ devices { nodes { endpoint } } }' });
      expect(await results.next()).toMatchObject({ value: { data: { devices: { nodes: [{ endpoint: ENDPOINT }] } } } });
      expect(await results.next()).toMatchObject({ done: true });
    } finally {
      await device.stop();
    }
  });

  it('receives the errors of a subscription that can’t start', async () => {
    const query = 'subscription { deviceChanged(deviceId: "00000000-0000-4000-8000-000000000000") { changed } }';
    const { value } = await connect().client.iterate({ query }).next();
    expect(value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  it('subscribes again when the server was stopped and is started again, and receives later events', async () => {
    const { client: sse, connected } = connect();
    const online = firstOnline(sse);
    await connected(1);
    expect(await treeline.stop()).toBe(0);
    treeline = await runTreeline(settings);
    await connected(2);
    const device = simulatedDevice(treeline);
    await device.start();
    try {
      expect(await online).toMatchObject(ONLINE);
    } finally {
      await device.stop();
    }
  });
});
