import { LIMITS, type KnownDefinition } from '../../src/fleet/index.ts';
import {
  enumerationEntries,
  registryDate,
  type EnumerationEntry,
  type ResourceDefinition,
  type ResourceType as TypeName,
} from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { ifUpdatedAtField } from '../edit.ts';
import { resultUnion } from '../errors.ts';
import { connection, pageRequest } from '../page.ts';
import { OBJECT_ID, text, VERSION } from '../rules.ts';

export const ResourceType = builder.enumType('ResourceType', {
  description:
    'The data types of LwM2M (Core 1.2 Appendix C). The scalar `ResourceValue` describes the JSON form of each.',
  values: {
    STRING: { value: 'String', description: 'UTF-8 text: `"Treeline"`.' },
    INTEGER: { value: 'Integer', description: 'A signed integer of up to 64 bits: `-40`.' },
    UNSIGNED_INTEGER: { value: 'Unsigned Integer', description: 'An unsigned integer of up to 64 bits: `4294967296`.' },
    FLOAT: { value: 'Float', description: 'A floating-point number of 32 or 64 bits: `22.5`.' },
    BOOLEAN: { value: 'Boolean', description: 'True or false: `true`.' },
    OPAQUE: { value: 'Opaque', description: 'Bytes; base64 in JSON: `"3q2+7w=="`.' },
    TIME: { value: 'Time', description: 'A date and time in whole seconds: `"2026-05-29T14:30:00Z"`.' },
    OBJLNK: { value: 'Objlnk', description: 'A link to an object instance: `"3303:0"`.' },
    CORELNK: { value: 'Corelnk', description: 'CoRE link-format text (RFC 6690): `"</3303/0>"`.' },
  } satisfies Record<string, { value: TypeName; description: string }>,
});

export const ResourceOperation = builder.enumType('ResourceOperation', {
  description: 'An operation that the object definition allows on a resource.',
  values: {
    READ: { description: 'The resource can be read and observed: `readResources`, `observeResources`.' },
    WRITE: { description: 'The resource can be written: `writeResources`.' },
    EXECUTE: { description: 'The resource can be executed: `executeResource`.' },
  },
});

export const OPERATIONS = { R: ['READ'], W: ['WRITE'], RW: ['READ', 'WRITE'], E: ['EXECUTE'], '': [] } as const;

const ValueLabelType = builder.objectRef<EnumerationEntry>('ValueLabel').implement({
  description: 'What a value of an enumeration means: `{ value: 1, label: "normal" }`.',
  fields: (t) => ({
    value: t.expose('low', { type: 'ResourceValue', description: 'The value: `1`.' }),
    lastValue: t.expose('high', {
      type: 'ResourceValue',
      description: 'The last value with this label: `9` for `2..9: reserved`. Equals `value` for a single value.',
    }),
    label: t.exposeString('label', { description: 'The meaning, as the definition words it: `"normal"`.' }),
  }),
});

export const ResourceDefinitionType = builder.objectRef<ResourceDefinition>('ResourceDefinition').implement({
  description: 'The definition of one resource of an object: name, type, operations.',
  fields: (t) => ({
    resourceId: t.exposeInt('id', { description: 'The resource’s id within the object, 0 to 65534: `5700`.' }),
    name: t.exposeString('name', { description: 'The resource’s name: `"Sensor Value"`.' }),
    description: t.string({
      description:
        'The description from the uploaded file. Empty if the file has none, and for a definition with source REGISTRY: those are built in without descriptions.',
      resolve: ({ description }) => description ?? '',
    }),
    operations: t.field({
      type: [ResourceOperation],
      description: 'The operations that are allowed: `[READ]`. Empty if only a bootstrap server may use the resource.',
      resolve: ({ operations }) => [...OPERATIONS[operations]],
    }),
    multiple: t.exposeBoolean('multiple', {
      description:
        'True: the resource can have several instances (`/3/0/6/0`, `/3/0/6/1`); its value is an object from instance id to value.',
    }),
    mandatory: t.exposeBoolean('mandatory', {
      description: 'True: every instance of the object must have this resource.',
    }),
    type: t.expose('type', {
      type: ResourceType,
      nullable: true,
      description:
        'The type of the value: `FLOAT`. Null for an executable resource, and for one whose definition names no type: its type is guessed from each value.',
    }),
    range: t.exposeString('range', {
      description:
        'The allowed values, as the definition words them, with line breaks: for numbers usually a range, `"0..100"`; for strings usually a length. Empty if the definition has none.',
    }),
    labels: t.field({
      type: [ValueLabelType],
      description:
        'The labels of the values, in the order of the definition, if `range` lists them: `"0: off, 1: on"`. Otherwise empty.',
      resolve: ({ range }) => [...(enumerationEntries(range) ?? [])],
    }),
    units: t.exposeString('units', {
      description:
        'The unit symbol (RFC 8428, RFC 8798): `"Cel"` is °C, `"/100"` is percent. Empty if the definition has none; many sensors then give the unit in resource 5701.',
    }),
  }),
});

const ObjectDefinitionSource = builder.enumType('ObjectDefinitionSource', {
  description: 'The origin of an object definition.',
  values: {
    REGISTRY: { description: 'The definition is from the OMA registry; all tenants have it.' },
    TENANT: {
      description:
        'The tenant uploaded it with `uploadObjectDefinition`; it replaces the registry’s definition for this tenant.',
    },
  } satisfies Record<KnownDefinition['source'], { description: string }>,
});

export const ObjectDefinitionType = builder.objectRef<KnownDefinition>('ObjectDefinition').implement({
  description:
    'The definition of an LwM2M object, from the OMA registry or uploaded by the tenant. Example: object 3303, Temperature.',
  fields: (t) => ({
    objectId: t.exposeInt('id', { description: 'The object’s id, 0 to 65534: `3303`.' }),
    version: t.exposeString('version', { description: 'The object’s version, major.minor: `"1.1"`.' }),
    source: t.expose('source', {
      type: ObjectDefinitionSource,
      description: 'The origin of this definition: `REGISTRY`.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the tenant last uploaded this definition; null for a definition of the registry.',
    }),
    name: t.exposeString('name', { description: 'The object’s name: `"Temperature"`.' }),
    description: t.string({
      description:
        'The description from the uploaded file. Empty if the file has none, and for source REGISTRY: those definitions are built in without descriptions.',
      resolve: ({ description }) => description ?? '',
    }),
    urn: t.exposeString('urn', { description: 'The object’s URN: `"urn:oma:lwm2m:ext:3303:1.1"`.' }),
    lwm2mVersion: t.exposeString('lwm2mVersion', {
      description: 'The lowest LwM2M version that supports this object: `"1.0"`.',
    }),
    multiple: t.exposeBoolean('multiple', { description: 'True: a device can have several instances of this object.' }),
    mandatory: t.exposeBoolean('mandatory', {
      description: 'True: every device must have this object, for example object 3 (Device).',
    }),
    resources: t.field({
      type: [ResourceDefinitionType],
      description: 'The resources of the object, by ascending id.',
      resolve: ({ resources }) => [...resources],
    }),
  }),
});

builder.queryField('objectDefinition', (t) =>
  t.field({
    type: ObjectDefinitionType,
    nullable: true,
    description:
      'Returns the definition of an object; null if there is none. Example: `objectDefinition(objectId: 3303)`.',
    args: {
      objectId: t.arg.int({ required: true, description: 'The object’s id: `3303`.', validate: OBJECT_ID }),
      version: t.arg.string({
        description:
          'The object’s version, major.minor: `"1.1"`. If there is no definition of this version, the highest minor version of the same major version is returned. Absent or null: the newest version.',
        validate: VERSION,
      }),
    },
    resolve: (_root, { objectId, version }, { load }) => load.definition(objectId, version ?? null),
  }),
);

builder.queryField('objectDefinitions', (t) =>
  t.connection(
    {
      type: ObjectDefinitionType,
      description:
        'Lists the object definitions of the registry and of the tenant, by ascending id and version. Example: `objectDefinitions(search: "temp") { nodes { objectId name } }`.',
      args: {
        search: t.arg.string({
          description:
            'Part of the object’s name in upper or lower case, or the object’s id: `"temp"`. Absent or null: all.',
          validate: text({ least: 0, most: LIMITS.search }),
        }),
      },
      resolve: async (_root, { search, ...page }, { fleet, actor }) =>
        connection(await fleet.definitions.page(actor, pageRequest(page), search)),
    },
    {
      name: 'ObjectDefinitionConnection',
      description: 'A page of object definitions.',
      fields: (connectionFields) => ({
        registryDate: connectionFields.string({
          description:
            'The day up to which the built-in copy of the OMA registry has all public objects: `"2024-02-22"`. It also has some newer ones. Upload a newer definition with `uploadObjectDefinition`.',
          resolve: () => registryDate(),
        }),
      }),
    },
    { name: 'ObjectDefinitionEdge', description: 'An object definition and its cursor.' },
  ),
);

type PayloadFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Shape>;

builder.relayMutationField(
  'uploadObjectDefinition',
  {
    description: 'An object definition file of OMA: `{ xml: "<LWM2M>…</LWM2M>" }`.',
    inputFields: (t) => ({
      xml: t.string({
        required: true,
        description:
          'The content of the XML file, as LWM2M.xsd defines it: `"<LWM2M><Object><Name>Pump</Name><ObjectID>26241</ObjectID>…</Object></LWM2M>"`.',
        validate: text({ most: 524_288, lines: true }),
      }),
      ifUpdatedAt: ifUpdatedAtField(t, 'the tenant’s definition that the file replaces'),
    }),
  },
  {
    description:
      'Adds the object definitions of a file to the tenant: all of them, or none if one is invalid. They apply immediately, also to registered devices (in other processes of the server within 30 seconds). They replace the registry’s definitions for this tenant, and an earlier upload of the same object version. A tenant can have 200 definitions with 4194304 characters in total. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('UploadObjectDefinition', {
      role: 'admin',
      validation:
        'the file is invalid or a limit is exceeded; the message has the line and the element: `line 14: <Type> "Number" is not String, Integer…`',
      conflict: 'a definition that the file replaces was uploaded again or deleted since `ifUpdatedAt`',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.definitions.upload(actor, input.xml, input.ifUpdatedAt),
  },
  {
    description: 'The uploaded definitions.',
    outputFields: (t: PayloadFields<readonly KnownDefinition[]>) => ({
      objectDefinitions: t.field({
        type: [ObjectDefinitionType],
        description: 'The object definitions, in the order of the file.',
        resolve: (uploaded) => [...uploaded],
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteObjectDefinition',
  {
    description: 'The definition to delete: `{ objectId: 26241, version: "1.0" }`.',
    inputFields: (t) => ({
      objectId: t.int({ required: true, description: 'The object’s id: `26241`.', validate: OBJECT_ID }),
      version: t.string({
        required: true,
        description: 'The object’s version, major.minor: `"1.0"`.',
        validate: VERSION,
      }),
    }),
  },
  {
    description:
      'Deletes a definition that the tenant uploaded. The registry’s definition, if there is one, applies again. Stored values of devices do not change. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteObjectDefinition', {
      role: 'admin',
      validation: 'the version is malformed',
      notFound: 'the tenant did not upload this object version',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.definitions.delete(actor, input.objectId, input.version),
  },
  {
    description: 'The deleted definition.',
    outputFields: (t: PayloadFields<KnownDefinition>) => ({
      objectDefinition: t.field({
        type: ObjectDefinitionType,
        description: 'The deleted definition.',
        resolve: (definition) => definition,
      }),
    }),
  },
);
