/**
 * Which module may import which: the only place where this is written. `npm run boundaries` generates .oxlintrc.json and
 * the diagram in docs/architecture.md from it; `npm run lint` fails when one of the two differs from the table.
 */

/** A folder (or a few files) with a public interface: its `index.ts`. */
export interface Module {
  readonly name: string;
  /** Folder, from the top of the repository. */
  readonly folder: string;
  /** Names of the modules that this one may import, by their `index.ts` only. */
  readonly imports: readonly string[];
  /** What it is for, in a few words; shown in the diagram. */
  readonly purpose: string;
}

/** The wire and the store: nothing here knows devices, tenants or the API. */
const lower: readonly Module[] = [
  { name: 'config', folder: 'src/config', imports: [], purpose: 'settings: reads and checks them' },
  { name: 'events', folder: 'src/events', imports: [], purpose: 'event bus inside the process' },
  {
    name: 'installation',
    folder: 'src/installation',
    imports: [],
    purpose: 'files of the data directory: keys, sessions',
  },
  {
    name: 'store',
    folder: 'src/store',
    imports: ['config'],
    purpose: 'database: connection, tables, row-level security',
  },
  { name: 'network', folder: 'src/network', imports: [], purpose: 'limits per address: networks and their entries' },
  { name: 'coap', folder: 'src/coap', imports: ['network'], purpose: 'CoAP over UDP and TCP' },
  { name: 'dtls', folder: 'src/dtls', imports: ['network'], purpose: 'DTLS 1.2 server' },
  { name: 'lwm2m', folder: 'src/lwm2m', imports: ['coap'], purpose: 'LwM2M server: registration, operations, codecs' },
];

/** What every module of the fleet may import besides the fleet's lower modules. */
const FLEET_IMPORTS = ['events', 'network', 'store', 'lwm2m'];

/** The modules of src/fleet, lowest layer first. Each may import those before it. */
const fleetLayers: readonly (readonly [name: string, purpose: string])[] = [
  ['common', 'errors, paging, batches, log'],
  ['access', 'actors, roles, API keys, tenants'],
  ['objects', 'object definitions and typed values'],
  ['credentials', 'device credentials, their look-up, handshake log'],
  ['operations', 'from an API call to an LwM2M operation'],
  ['profiles', 'device profiles: metric mappings and methods'],
  ['devices', 'the device, its key, provisioning'],
  ['readings', 'last values, the resource tree, telemetry sink'],
  ['bootstrap', 'bootstrap plans and factory credentials'],
  ['presence', 'who is registered; admission; status'],
  ['observing', 'which resources are observed'],
  ['inventory', 'lists, filters and watches of devices'],
  ['rpcs', 'remote procedure calls: journal, dispatch, outcome'],
];

const fleetModules: readonly Module[] = fleetLayers.map(([name, purpose], index) => ({
  name: `fleet/${name}`,
  folder: `src/fleet/${name}`,
  imports: [...FLEET_IMPORTS, ...fleetLayers.slice(0, index).map(([lowerName]) => `fleet/${lowerName}`)],
  purpose,
}));

const upper: readonly Module[] = [
  {
    name: 'fleet',
    folder: 'src/fleet',
    imports: [...FLEET_IMPORTS, ...fleetModules.map(({ name }) => name)],
    purpose: 'puts the modules of the fleet together',
  },
  {
    name: 'telemetry',
    folder: 'src/telemetry',
    imports: ['events', 'store', 'fleet'],
    purpose: 'metrics, history, the outbox, Kafka',
  },
  { name: 'simulator', folder: 'src/simulator', imports: ['lwm2m'], purpose: 'simulated devices' },
  {
    name: 'schema',
    folder: 'schema',
    imports: ['events', 'lwm2m', 'fleet', 'telemetry'],
    purpose: 'GraphQL types, queries, mutations, subscriptions',
  },
  {
    name: 'server',
    folder: 'src/server',
    imports: ['network', 'events', 'fleet', 'schema'],
    purpose: 'HTTP, WebSocket, SSE',
  },
];

/** Lowest layer first. Any module may import src/clock.ts as well; src/main.ts, src/composition and src/cli may import all. */
export const modules: readonly Module[] = [...lower, ...fleetModules, ...upper];
