import * as z from 'zod';
import type { KnownDefinition } from '../../src/fleet/index.ts';
import type { ResourceDefinition, ResourceType as TypeName } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { connection, pageRequest } from '../page.ts';

export const ResourceType = builder.enumType('ResourceType', {
  description: 'The data types of LwM2M (Core 1.2 Appendix C). `ResourceValue` says how each is written as JSON.',
  values: {
    STRING: { value: 'String', description: 'UTF-8 text: `"Treeline"`.' },
    INTEGER: { value: 'Integer', description: 'A signed integer of up to 64 bits: `-40`.' },
    UNSIGNED_INTEGER: { value: 'Unsigned Integer', description: 'An unsigned integer of up to 64 bits: `4294967296`.' },
    FLOAT: { value: 'Float', description: 'A floating-point number of 32 or 64 bits: `22.5`.' },
    BOOLEAN: { value: 'Boolean', description: 'True or false: `true`.' },
    OPAQUE: { value: 'Opaque', description: 'Bytes, as base64: `"3q2+7w=="`.' },
    TIME: { value: 'Time', description: 'A moment in whole seconds: `"2026-05-29T14:30:00Z"`.' },
    OBJLNK: { value: 'Objlnk', description: 'A link to an object instance: `"3303:0"`.' },
    CORELNK: { value: 'Corelnk', description: 'CoRE link-format text (RFC 6690): `"</3303/0>"`.' },
  } satisfies Record<string, { value: TypeName; description: string }>,
});

const ResourceOperation = builder.enumType('ResourceOperation', {
  description: 'What a server may do to a resource, by its definition.',
  values: {
    READ: { description: 'It can be read and observed: `readResources`, `observeResources`.' },
    WRITE: { description: 'It can be written: `writeResources`.' },
    EXECUTE: { description: 'It can be executed: `executeResource`.' },
  },
});

const OPERATIONS = { R: ['READ'], W: ['WRITE'], RW: ['READ', 'WRITE'], E: ['EXECUTE'], '': [] } as const;

export const ResourceDefinitionType = builder.objectRef<ResourceDefinition>('ResourceDefinition').implement({
  description: 'What a resource is, by the definition of its object.',
  fields: (t) => ({
    resourceId: t.exposeInt('id', { description: 'The resource’s id within its object, 0 to 65534: `5700`.' }),
    name: t.exposeString('name', { description: 'Its name: `"Sensor Value"`.' }),
    operations: t.field({
      type: [ResourceOperation],
      description: 'What a server may do to it: `[READ]`. Empty for what only the bootstrap server touches.',
      resolve: ({ operations }) => [...OPERATIONS[operations]],
    }),
    multiple: t.exposeBoolean('multiple', {
      description: 'Whether it has resource instances, `/3/0/6/0`, `/3/0/6/1`: its value is then an object of them.',
    }),
    mandatory: t.exposeBoolean('mandatory', { description: 'Whether every instance of the object has it.' }),
    type: t.expose('type', {
      type: ResourceType,
      nullable: true,
      description: 'The type of its value; null for what is executed.',
    }),
    range: t.exposeString('range', {
      description: 'Which values it takes, as the definition words it: `"0..100"`. Empty when nothing is said.',
    }),
    units: t.exposeString('units', {
      description: 'The unit of its value, as the definition words it: `"%"`, `"Cel"`. Empty when there is none.',
    }),
  }),
});

const ObjectDefinitionSource = builder.enumType('ObjectDefinitionSource', {
  description: 'Whose definition of an object it is.',
  values: {
    REGISTRY: { description: 'It is in the OMA registry, which every tenant sees.' },
    TENANT: { description: 'The tenant uploaded it: `uploadObjectDefinition`. It wins over the registry’s.' },
  } satisfies Record<KnownDefinition['source'], { description: string }>,
});

export const ObjectDefinitionType = builder.objectRef<KnownDefinition>('ObjectDefinition').implement({
  description:
    'What an LwM2M object is: from the OMA registry, or from the tenant’s own definitions, which win. Example: object 3303, Temperature.',
  fields: (t) => ({
    objectId: t.exposeInt('id', { description: 'The object’s id, 0 to 65534: `3303`.' }),
    version: t.exposeString('version', { description: 'The object’s version, major.minor: `"1.1"`.' }),
    source: t.expose('source', {
      type: ObjectDefinitionSource,
      description: 'Whose definition it is: of the OMA registry, or the tenant’s own.',
    }),
    name: t.exposeString('name', { description: 'Its name: `"Temperature"`.' }),
    urn: t.exposeString('urn', { description: 'Its URN: `"urn:oma:lwm2m:ext:3303:1.1"`.' }),
    lwm2mVersion: t.exposeString('lwm2mVersion', { description: 'The least version of LwM2M that it wants: `"1.0"`.' }),
    multiple: t.exposeBoolean('multiple', { description: 'Whether a device may have several instances of it.' }),
    mandatory: t.exposeBoolean('mandatory', { description: 'Whether every device has it, as object 3 (Device).' }),
    resources: t.field({
      type: [ResourceDefinitionType],
      description: 'Its resources, by ascending id.',
      resolve: ({ resources }) => [...resources],
    }),
  }),
});

builder.queryField('objectDefinition', (t) =>
  t.field({
    type: ObjectDefinitionType,
    nullable: true,
    description: 'The definition of an object; null when none is known. Example: `objectDefinition(objectId: 3303)`.',
    args: {
      objectId: t.arg.int({ required: true, description: 'The object’s id, 0 to 65534: `3303`.' }),
      version: t.arg.string({
        description:
          'Its version, major.minor: `"1.1"`. Where it is unknown, the highest minor of its major is given. Absent: the newest.',
      }),
    },
    resolve: (_root, { objectId, version }, { load }) => load.definition(objectId, version ?? null),
  }),
);

builder.queryField('objectDefinitions', (t) =>
  t.connection(
    {
      type: ObjectDefinitionType,
      description: 'All object definitions that the tenant’s devices are understood by, by ascending id and version.',
      args: {
        search: t.arg.string({ description: 'Part of the name, whatever its case, or the object’s id: `"temp"`.' }),
      },
      resolve: async (_root, { search, ...page }, { fleet, actor }) =>
        connection(await fleet.definitions.page(actor, pageRequest(page), search)),
    },
    { name: 'ObjectDefinitionConnection', description: 'A page of object definitions.' },
    { name: 'ObjectDefinitionEdge', description: 'An object definition and its place in the list.' },
  ),
);

type PayloadFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Shape>;

builder.relayMutationField(
  'uploadObjectDefinition',
  {
    description: 'An OMA object definition file.',
    inputFields: (t) => ({
      xml: t.string({
        required: true,
        description:
          'The file, of the form of LWM2M.xsd: `"<LWM2M><Object><Name>Pump</Name><ObjectID>26241</ObjectID>…</Object></LWM2M>"`. At most 524288 characters.',
      }),
    }),
  },
  {
    description:
      'Makes the objects of the file known to the tenant, all or none: its devices, those that are registered included, are understood by them at once (in other processes within 30 seconds). They win over the registry’s; the same version uploaded before is replaced. What is wrong is told with line and element: `line 14: <Type> "Number" is not String, Integer…`. A tenant has at most 200 definitions of its own, of 4194304 characters together. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('UploadObjectDefinition'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.definitions.upload(actor, input.xml),
  },
  {
    description: 'The definitions are in force.',
    outputFields: (t: PayloadFields<readonly KnownDefinition[]>) => ({
      objectDefinitions: t.field({
        type: [ObjectDefinitionType],
        description: 'The objects of the file, in its order.',
        resolve: (uploaded) => [...uploaded],
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteObjectDefinition',
  {
    description: 'Which definition: `{ objectId: 26241, version: "1.0" }`.',
    inputFields: (t) => ({
      objectId: t.int({ required: true, description: 'The object’s id, 0 to 65534: `26241`.' }),
      version: t.string({
        required: true,
        description: 'Its version, major.minor: `"1.0"`.',
        validate: z.string().regex(/^\d{1,5}\.\d{1,5}$/, 'is no version like 1.0'),
      }),
    }),
  },
  {
    description:
      'Deletes a definition of the tenant’s own: the registry’s, if it has one, counts again. What was stored of devices stays as it is. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteObjectDefinition'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.definitions.delete(actor, input.objectId, input.version),
  },
  {
    description: 'The definition was deleted.',
    outputFields: (t: PayloadFields<KnownDefinition>) => ({
      objectDefinition: t.field({
        type: ObjectDefinitionType,
        description: 'The definition as it was.',
        resolve: (definition) => definition,
      }),
    }),
  },
);
