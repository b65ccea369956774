import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PeerProcess, relayCompiler, requirePeer } from '../peers/index.ts';
import { ENDPOINT, useProduct } from './product.ts';
import { SDL_FILE } from './schema.ts';

/** A page with Relay: lists as connections, a device that is fetched again by its id, an input with @oneOf. */
const PAGE = `
graphql\`
  query pageDevicesQuery($first: Int!, $after: String) {
    ...page_devices @arguments(first: $first, after: $after)
  }
\`;
graphql\`
  fragment page_devices on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "pageNextQuery") {
    devices(first: $first, after: $after) @connection(key: "page_devices") {
      edges { node { id ...page_device } }
    }
  }
\`;
graphql\`
  fragment page_device on Device @refetchable(queryName: "pageDeviceQuery") {
    endpoint
    status
    telemetry(first: 10) { edges { node { timestamp } } }
    objects { objectId instances { resources { path value } } }
  }
\`;
graphql\`
  mutation pageProvisionMutation($endpoint: String!, $security: CredentialInput, $connections: [ID!]!) {
    provisionDevice(input: { endpoint: $endpoint, security: $security }) {
      ... on ProvisionDevicePayload {
        device @prependNode(connections: $connections, edgeTypeName: "DeviceEdge") { id endpoint }
        secret { identity }
      }
      ... on UserError { code message }
    }
  }
\`;
graphql\`
  mutation pageDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteDevice(input: { id: $id }) {
      ... on DeleteDevicePayload { deletedId: id @deleteEdge(connections: $connections) @deleteRecord }
      ... on UserError { code message }
    }
  }
\`;
graphql\`
  subscription pageStatusSubscription { deviceStatusChanged { device { ...page_device } } }
\`;
`;

requirePeer('relay')('the compiler of Relay', () => {
  const product = useProduct();
  let folder: string;

  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'treeline-relay-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Compiles the documents of one file; resolves with the exit code and the output. */
  async function compile(name: string, documents: string): Promise<{ code: number | null; output: string }> {
    const root = join(folder, name);
    await mkdir(join(root, 'src'), { recursive: true });
    await writeFile(join(root, 'src/page.js'), documents);
    await writeFile(join(root, 'package.json'), '{ "type": "module" }');
    const settings = { src: 'src', schema: SDL_FILE, language: 'javascript', eagerEsModules: true };
    await writeFile(join(root, 'relay.config.json'), JSON.stringify(settings));
    const options = { cwd: root };
    const compiler = new PeerProcess('relay', relayCompiler() ?? '', ['--noWatchman', 'relay.config.json'], options);
    const code = await compiler.exited;
    return { code, output: compiler.lines.join('\n') };
  }

  /** The text that the compiler made for an operation. */
  async function textOf(operation: string): Promise<string> {
    const file = join(folder, 'page/src/__generated__', `${operation}.graphql.js`);
    const { default: artifact } = (await import(file)) as { default: { params: { text: string } } };
    return artifact.params.text;
  }

  it('compiles connections, a refetch by Node, an input with @oneOf and a subscription against the SDL', async () => {
    const { code, output } = await compile('page', PAGE);
    expect(code, output).toBe(0);
    expect((await readdir(join(folder, 'page/src/__generated__'))).toSorted()).toEqual([
      'pageDeleteMutation.graphql.js',
      'pageDeviceQuery.graphql.js',
      'pageDevicesQuery.graphql.js',
      'pageNextQuery.graphql.js',
      'pageProvisionMutation.graphql.js',
      'pageStatusSubscription.graphql.js',
      'page_device.graphql.js',
      'page_devices.graphql.js',
    ]);
  });

  it('makes operations that the product executes', async () => {
    const { treeline } = product();
    const provisioned = await treeline.query<{ provisionDevice: { device: { id: string }; secret: object } }>(
      await textOf('pageProvisionMutation'),
      { endpoint: 'urn:relay:1', security: { psk: {} } },
    );
    expect(provisioned.provisionDevice.secret).toMatchObject({ identity: expect.any(String) });
    const { id } = provisioned.provisionDevice.device;

    const first = await treeline.query<{ devices: { edges: object[]; pageInfo: { endCursor: string } } }>(
      await textOf('pageDevicesQuery'),
      { first: 1 },
    );
    expect(first.devices).toMatchObject({ edges: [{ node: { endpoint: ENDPOINT } }], pageInfo: { hasNextPage: true } });
    const after = first.devices.pageInfo.endCursor;
    expect(await treeline.query(await textOf('pageNextQuery'), { first: 1, after })).toMatchObject({
      devices: { edges: [{ node: { id, endpoint: 'urn:relay:1' } }], pageInfo: { hasNextPage: false } },
    });
    expect(await treeline.query(await textOf('pageDeviceQuery'), { id })).toMatchObject({
      node: { __typename: 'Device', id, endpoint: 'urn:relay:1' },
    });
    expect(await treeline.query(await textOf('pageDeleteMutation'), { id })).toMatchObject({
      deleteDevice: { deletedId: id },
    });
  });

  it('receives events by the text of its subscription', async () => {
    const { treeline, device, subscribed } = product();
    const events = treeline.webSocket(await textOf('pageStatusSubscription'));
    const event = events.next();
    await subscribed();
    await device.stop();
    expect(await event).toMatchObject({ value: { deviceStatusChanged: { device: { endpoint: ENDPOINT } } } });
    await events.return(undefined);
  });

  it('rejects a field that the SDL does not have', async () => {
    const { code, output } = await compile(
      'wrong',
      'graphql`query pageQuery { devices { edges { node { colour } } } }`;',
    );
    expect(code).not.toBe(0);
    expect(output).toContain('has no field `colour`');
  });
});
