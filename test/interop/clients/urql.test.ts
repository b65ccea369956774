import {
  createClient,
  fetchExchange,
  gql,
  subscriptionExchange,
  type Client,
  type Exchange,
  type TypedDocumentNode,
} from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { introspectionFromSchema, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { RENAME } from './documents.ts';
import { ENDPOINT, useProduct } from './product.ts';
import { sdl } from './schema.ts';

const product = useProduct();

interface DeviceResult {
  readonly device: { readonly id: string; readonly name: string | null; readonly status: string };
}
interface DevicesResult {
  readonly devices: { readonly nodes: readonly { readonly endpoint: string; readonly name: string | null }[] };
}

const DEVICE: TypedDocumentNode<DeviceResult, { endpoint: string }> = gql`
  query Device($endpoint: String!) {
    device(endpoint: $endpoint) {
      id
      name
      status
      profile {
        id
        mappings {
          path
          metric
        }
      }
    }
  }
`;
const DEVICES: TypedDocumentNode<DevicesResult, { after?: string | null }> = gql`
  query Devices($after: String) {
    devices(first: 2, after: $after) {
      nodes {
        id
        endpoint
        name
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
const STATUSES = gql`
  subscription Statuses {
    deviceStatusChanged {
      deviceId
      device {
        id
        status
      }
    }
  }
`;

/** Types without `id` are parts of the object that has them: graphcache then keeps them there. */
function embeddedTypes(): Record<string, () => null> {
  const types = Object.values(sdl.getTypeMap()).filter(isObjectType);
  return Object.fromEntries(types.filter((type) => !('id' in type.getFields())).map(({ name }) => [name, () => null]));
}

/** A client with the schema-aware cache, and what the cache complains about. */
function clientWith(...exchanges: readonly Exchange[]): { readonly client: Client; readonly complaints: string[] } {
  const complaints: string[] = [];
  const cache = cacheExchange({
    schema: introspectionFromSchema(sdl),
    keys: embeddedTypes(),
    resolvers: { Query: { devices: relayPagination() } },
    logger: (severity, message) => severity !== 'debug' && complaints.push(message),
  });
  const webSockets = product().webSockets();
  const subscriptions = subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: webSockets.subscribe(
          { query, variables: variables as Record<string, unknown> }, // urql has them without a type
          {
            next: (result) => sink.next(result as Parameters<typeof sink.next>[0]),
            error: sink.error,
            complete: sink.complete,
          },
        ),
      }),
    }),
  });
  const client = createClient({
    url: product().treeline.graphql,
    fetch: product().fetch,
    preferGetMethod: false,
    exchanges: [cache, ...exchanges, fetchExchange, subscriptions],
  });
  return { client, complaints };
}

async function deviceOf(client: Client): Promise<DeviceResult['device']> {
  const { data, error } = await client.query(DEVICE, { endpoint: ENDPOINT }).toPromise();
  if (data === undefined) throw error ?? new Error('no device');
  return data.device;
}

describe('urql with the cache that knows the schema', () => {
  it('answers a query from its cache, and puts the device of a mutation into every query that has it', async () => {
    const { client, complaints } = clientWith();
    const { id } = await deviceOf(client);
    await client.query(DEVICES, {}).toPromise();
    const requests = product().sent.length;
    expect((await deviceOf(client)).id).toBe(id);
    expect(product().sent).toHaveLength(requests);

    const { data } = await client.mutation(gql(RENAME), { id, name: 'Boiler room' }).toPromise();
    expect(data).toMatchObject({ updateDevice: { device: { id, name: 'Boiler room' } } });
    expect((await deviceOf(client)).name).toBe('Boiler room');
    const list = client.readQuery(DEVICES, {});
    expect(list?.data?.devices.nodes.map(({ name }) => name)).toEqual(['Boiler room']);
    expect(product().sent).toHaveLength(requests + 1);
    expect(complaints).toEqual([]);
  });

  it('returns the error of a mutation that was refused, with the members of the interface', async () => {
    const { client, complaints } = clientWith();
    const { id } = await deviceOf(client);
    const { data } = await client.mutation(gql(RENAME), { id, name: '' }).toPromise();
    expect(data).toMatchObject({
      updateDevice: { code: 'VALIDATION', field: ['name'], message: expect.stringContaining('name') },
    });
    expect(complaints).toEqual([]);
  });

  it('appends the pages of a connection', async () => {
    const { client, complaints } = clientWith();
    for (const endpoint of ['page-1', 'page-2', 'page-3', 'page-4']) {
      await product().treeline.query(
        `mutation { provisionDevice(input: { endpoint: "${endpoint}" }) { ... on ProvisionDevicePayload { device { id } } } }`,
      );
    }
    interface Page {
      readonly devices: { readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null } };
    }
    let page = (await client.query<Page & DevicesResult>(DEVICES, {}).toPromise()).data;
    while (page?.devices.pageInfo.hasNextPage === true) {
      page = (await client.query<Page & DevicesResult>(DEVICES, { after: page.devices.pageInfo.endCursor }).toPromise())
        .data;
    }
    expect(page?.devices.nodes.map(({ endpoint }) => endpoint)).toEqual([
      'page-1',
      'page-2',
      'page-3',
      'page-4',
      ENDPOINT,
    ]);
    expect(complaints).toEqual([]);
  });

  it.each([
    ['POST', false],
    ['GET', 'force'],
  ] as const)(
    'sends the whole text after an automatic persisted query by %s, and no more hashes',
    async (method, byGet) => {
      const { client } = clientWith(persistedExchange({ preferGetForPersistedQueries: byGet }));
      const before = product().sent.length;
      await deviceOf(client);
      await client.query(DEVICES, {}).toPromise();
      const [hash, whole, next, ...others] = product().sent.slice(before);
      expect(hash).toMatchObject({ method, status: 200 });
      expect(hash?.body?.query ?? hash?.url.searchParams.get('query') ?? null).toBeNull();
      expect(textOf(whole)).toContain('query Device');
      expect(textOf(next)).toContain('query Devices');
      expect([whole?.status, next?.status, others]).toEqual([200, 200, []]);
    },
  );

  it('puts the events of a subscription over graphql-ws into the cache', async () => {
    const { client, complaints } = clientWith();
    expect((await deviceOf(client)).status).toBe('ONLINE');
    const offline = new Promise<void>((resolve) => {
      client.query(DEVICE, { endpoint: ENDPOINT }).subscribe(({ data }) => {
        if (data?.device.status === 'OFFLINE') resolve();
      });
    });
    const events = client.subscription(STATUSES, {}).subscribe(() => {});
    await product().subscribed();
    await product().device.stop();
    await offline;
    events.unsubscribe();
    expect(complaints).toEqual([]);
  });
});

/** The text of a request: urql sends queries by POST, or by GET as its option says. */
function textOf(request: ReturnType<typeof product>['sent'][number] | undefined): string | null {
  return request?.body?.query ?? request?.url.searchParams.get('query') ?? null;
}
