import { impliedObjectVersion } from '../lwm2m/index.ts';
import type { Lwm2mVersion, ObjectDefinition, ObjectModel, TypedValue } from '../lwm2m/index.ts';
import type { Resource, Resources } from './resource-tree.ts';
import { blank, boolean, float, integer, multiple, opaque, text, time, unsigned } from './typed.ts';

/** One object of the device: its definition in the device's version, and the first values of its instances. */
export interface DeviceObject {
  readonly definition: ObjectDefinition;
  /** The resources of a new instance. */
  readonly resources: () => Resources;
  /** The ids of its executable resources. */
  readonly executables: ReadonlySet<number>;
}

/** A simulated measurement, which drift.ts changes. */
export interface Sensor {
  readonly units: string;
  readonly application: string;
  readonly start: number;
  readonly min: number;
  readonly max: number;
  /** The largest change in one step. */
  readonly step: number;
  /** Decimal places of the value. */
  readonly decimals: number;
}

export const SENSORS: Readonly<Record<number, Sensor>> = {
  3303: { units: 'Cel', application: 'room', start: 21.5, min: -40, max: 85, step: 0.3, decimals: 2 },
  3304: { units: '%RH', application: 'room', start: 45, min: 0, max: 100, step: 0.8, decimals: 1 },
  3323: { units: 'Pa', application: 'outdoors', start: 101_325, min: 80_000, max: 110_000, step: 15, decimals: 0 },
};

/** The resources that IPSO sensors share. */
export const SENSOR = { minMeasured: 5601, maxMeasured: 5602, resetMeasured: 5605, value: 5700 } as const;
export const SERVER = {
  shortServerId: 0,
  lifetime: 1,
  pmin: 2,
  pmax: 3,
  disable: 4,
  disableTimeout: 5,
  binding: 7,
  updateTrigger: 8,
  bootstrapTrigger: 9,
  muteSend: 23,
} as const;
export const DEVICE = {
  firmwareVersion: 3,
  reboot: 4,
  factoryReset: 5,
  voltage: 7,
  current: 8,
  batteryLevel: 9,
  memoryFree: 10,
  errorCode: 11,
  resetErrorCode: 12,
  currentTime: 13,
  hardwareVersion: 18,
} as const;
export const FIRMWARE = {
  package: 0,
  uri: 1,
  update: 2,
  state: 3,
  result: 5,
  name: 6,
  version: 7,
  cancel: 10,
  changed: 12,
} as const;

/** Objects with lower ids are OMA's own (Core 1.2 §7.1): their version depends on the LwM2M version. */
const FIRST_FOREIGN_OBJECT = 1024;

export interface ObjectsOptions {
  readonly lwm2m: Lwm2mVersion;
  readonly model: ObjectModel;
  /** The supported bindings, for example `UT`. */
  readonly bindings: string;
  readonly serialNumber: string;
  /** Seconds since the Unix epoch. */
  readonly now: () => number;
  /** False without a bootstrap server account: then the Bootstrap-Request Trigger can't be executed. */
  readonly bootstraps: boolean;
}

/** The object version that a Register must contain; null when it is implied (Core 1.2 §7.2.2). */
export function explicitVersion(lwm2m: Lwm2mVersion, { id, version }: ObjectDefinition): string | null {
  return version === impliedObjectVersion(id, lwm2m) ? null : version;
}

/** Makes an object of the device; undefined when the model does not contain it. */
export function deviceObject(objectId: number, options: ObjectsOptions): DeviceObject | undefined {
  const version = objectId < FIRST_FOREIGN_OBJECT ? impliedObjectVersion(objectId, options.lwm2m) : undefined;
  const definition = options.model.object(objectId, version);
  if (definition === undefined) return undefined;
  const executables = new Set(definition.resources.filter((it) => it.operations === 'E').map((it) => it.id));
  const sensor = SENSORS[objectId];
  const known = new Set(definition.resources.map((it) => it.id));
  const resources = (): Resources => {
    const wanted = sensor ? sensorResources(sensor) : (CORE[objectId]?.(options) ?? anyResources(definition));
    return Object.fromEntries(Object.entries(wanted).filter(([id]) => known.has(Number(id))));
  };
  if (objectId === 1 && !options.bootstraps) executables.delete(SERVER.bootstrapTrigger);
  return { definition, resources, executables };
}

const CORE: Readonly<Record<number, (options: ObjectsOptions) => Resources>> = {
  1: () => ({
    [SERVER.shortServerId]: integer(1),
    [SERVER.lifetime]: integer(86_400),
    [SERVER.pmin]: integer(0),
    [SERVER.pmax]: integer(0),
    [SERVER.disableTimeout]: integer(86_400),
    6: boolean(true),
    [SERVER.binding]: text('U'),
    [SERVER.muteSend]: boolean(false),
  }),
  3: ({ bindings, serialNumber, now }) => ({
    0: text('Treeline'),
    1: text('Simulated device'),
    2: text(serialNumber),
    [DEVICE.firmwareVersion]: text('1.0.0'),
    6: multiple(integer(1), integer(5)),
    [DEVICE.voltage]: multiple(integer(3800), integer(5000)),
    [DEVICE.current]: multiple(integer(125), integer(900)),
    [DEVICE.batteryLevel]: integer(90),
    [DEVICE.memoryFree]: integer(15_360),
    [DEVICE.errorCode]: multiple(integer(0)),
    [DEVICE.currentTime]: () => time(now()),
    14: text('+00:00'),
    15: text('Etc/UTC'),
    16: text(bindings),
    17: text('simulated'),
    [DEVICE.hardwareVersion]: text('1.0'),
    19: text('1.0.0'),
    20: integer(0),
    21: integer(65_536),
  }),
  5: ({ now }) => ({
    [FIRMWARE.package]: opaque(new Uint8Array()),
    [FIRMWARE.uri]: text(''),
    [FIRMWARE.state]: integer(0),
    [FIRMWARE.result]: integer(0),
    [FIRMWARE.name]: text(''),
    [FIRMWARE.version]: text(''),
    8: multiple(integer(2), integer(3)),
    9: integer(2),
    11: integer(1),
    [FIRMWARE.changed]: time(now()),
    13: unsigned(0),
  }),
};

function sensorResources({ units, application, start, min, max }: Sensor): Resources {
  return {
    [SENSOR.minMeasured]: float(start),
    [SENSOR.maxMeasured]: float(start),
    5603: float(min),
    5604: float(max),
    [SENSOR.value]: float(start),
    5701: text(units),
    5750: text(application),
  };
}

/** Values for any other object: an empty or zero value for each resource that can be read or written. */
function anyResources({ resources }: ObjectDefinition): Resources {
  const entries = resources.flatMap((resource): [number, Resource][] => {
    if (resource.type === null || resource.operations === 'E' || resource.operations === '') return [];
    const value: TypedValue = blank(resource.type);
    return [[resource.id, resource.multiple ? multiple(value) : value]];
  });
  return Object.fromEntries(entries);
}
