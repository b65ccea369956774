import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { RENAME } from './documents.ts';
import { ENDPOINT, useProduct } from './product.ts';
import { possibleTypes } from './schema.ts';

const product = useProduct();

const DEVICE = gql`
  query Device($endpoint: String!) {
    device(endpoint: $endpoint) {
      id
      endpoint
      name
      status
    }
  }
`;
const DEVICES = gql`
  query Devices($after: String) {
    devices(first: 2, after: $after) {
      edges {
        node {
          id
          endpoint
          name
        }
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
      device {
        id
        status
      }
    }
  }
`;

interface DeviceResult {
  readonly device: { readonly id: string; readonly name: string | null; readonly status: string };
}
interface DevicesResult {
  readonly devices: {
    readonly edges: readonly { readonly node: { readonly endpoint: string; readonly name: string | null } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

function clientWith(...links: readonly ApolloLink[]): ApolloClient {
  const cache = new InMemoryCache({
    possibleTypes: possibleTypes(),
    typePolicies: { Query: { fields: { devices: relayStylePagination() } } },
  });
  return new ApolloClient({ cache, link: ApolloLink.from([...links]), queryDeduplication: false });
}

function http(): HttpLink {
  return new HttpLink({ uri: product().treeline.graphql, fetch: product().fetch });
}

async function deviceOf(client: ApolloClient): Promise<DeviceResult['device']> {
  const { data } = await client.query<DeviceResult>({ query: DEVICE, variables: { endpoint: ENDPOINT } });
  if (data === undefined) throw new Error('no device');
  return data.device;
}

/** Resolves when the cache has a result of the query that `wanted` accepts. */
function cached(client: ApolloClient, wanted: (device: DeviceResult['device']) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const found = client.watchQuery<DeviceResult>({
      query: DEVICE,
      variables: { endpoint: ENDPOINT },
      fetchPolicy: 'cache-only',
    });
    const subscription = found.subscribe(({ data, dataState }) => {
      if (dataState !== 'complete' || !wanted(data.device)) return;
      resolve();
      queueMicrotask(() => subscription.unsubscribe());
    });
  });
}

describe('Apollo Client', () => {
  it('answers a query from its cache, and puts the device of a mutation into every query that has it', async () => {
    const client = clientWith(http());
    const { id } = await deviceOf(client);
    await client.query({ query: DEVICES });
    const requests = product().sent.length;
    expect((await deviceOf(client)).id).toBe(id);
    expect(product().sent).toHaveLength(requests);

    const { data } = await client.mutate({ mutation: gql(RENAME), variables: { id, name: 'Boiler room' } });
    expect(data).toMatchObject({ updateDevice: { device: { id, name: 'Boiler room' } } });
    expect((await deviceOf(client)).name).toBe('Boiler room');
    const list = client.readQuery<DevicesResult>({ query: DEVICES });
    expect(list?.devices.edges.map(({ node }) => node.name)).toEqual(['Boiler room']);
    expect(product().sent).toHaveLength(requests + 1);
  });

  it('returns the error of a mutation that was refused, with the members of the interface', async () => {
    const client = clientWith(http());
    const { id } = await deviceOf(client);
    const { data } = await client.mutate({ mutation: gql(RENAME), variables: { id, name: '' } });
    expect(data).toEqual({
      updateDevice: {
        __typename: 'ValidationError',
        code: 'VALIDATION',
        field: ['name'],
        message: expect.stringContaining('name'),
      },
    });
  });

  it('appends the pages of a connection', async () => {
    const client = clientWith(http());
    for (const endpoint of ['page-1', 'page-2', 'page-3', 'page-4']) {
      await product().treeline.query(
        `mutation { provisionDevice(input: { endpoint: "${endpoint}" }) { ... on ProvisionDevicePayload { device { id } } } }`,
      );
    }
    const list = client.watchQuery<DevicesResult>({ query: DEVICES });
    const opened = list.subscribe(() => {});
    let { data } = await list.refetch();
    while (data?.devices.pageInfo.hasNextPage === true) {
      ({ data } = await list.fetchMore({ variables: { after: data.devices.pageInfo.endCursor } }));
    }
    const merged = client.readQuery<DevicesResult>({ query: DEVICES });
    expect(merged?.devices.edges.map(({ node }) => node.endpoint)).toEqual([
      'page-1',
      'page-2',
      'page-3',
      'page-4',
      ENDPOINT,
    ]);
    opened.unsubscribe();
  });

  it('puts the events of a subscription over graphql-ws into the cache', async () => {
    const client = clientWith(
      ApolloLink.split(
        ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
        new GraphQLWsLink(product().webSockets()),
        http(),
      ),
    );
    expect((await deviceOf(client)).status).toBe('ONLINE');
    const events = client.subscribe({ query: STATUSES }).subscribe(() => {});
    await product().subscribed();
    const offline = cached(client, ({ status }) => status === 'OFFLINE');
    await product().device.stop();
    await offline;
    events.unsubscribe();
  });

  it.each([
    ['POST', false],
    ['GET', true],
  ])('sends the whole text after an automatic persisted query by %s, and no more hashes', async (method, byGet) => {
    const persisted = new PersistedQueryLink({
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      useGETForHashedQueries: byGet,
    });
    const client = clientWith(persisted, http());
    const before = product().sent.length;
    await deviceOf(client);
    await client.query({ query: DEVICES });
    const [hash, whole, next, ...others] = product().sent.slice(before);
    expect(hash).toMatchObject({ method, status: 200 });
    expect(hash?.body?.query ?? hash?.url.searchParams.get('query') ?? null).toBeNull();
    expect(whole).toMatchObject({
      method: 'POST',
      status: 200,
      body: { query: expect.stringContaining('query Device') },
    });
    expect(next).toMatchObject({
      method: 'POST',
      status: 200,
      body: { query: expect.stringContaining('query Devices') },
    });
    expect(others).toEqual([]);
  });
});
