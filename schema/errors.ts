import { GraphQLError } from 'graphql';
import { FleetError, type FleetErrorCode, type Rpc } from '../src/fleet/index.ts';
import { builder } from './builder.ts';
import { RpcNode } from './nodes.ts';

/** A class whose `instanceof` matches the FleetErrors of one code, because each error type of the API needs a class. */
function errorsOf(code: FleetErrorCode): typeof FleetError {
  return class extends FleetError {
    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof FleetError && value.code === code;
    }
  };
}

const Validation = errorsOf('VALIDATION');
const NotFound = errorsOf('NOT_FOUND');
const Conflict = errorsOf('CONFLICT');
const Forbidden = errorsOf('FORBIDDEN');

const UserErrorCodeEnum = builder.enumType('UserErrorCode', {
  description: 'The code of an error, for programs. Errors of queries have the same codes in `extensions.code`.',
  values: {
    VALIDATION: { description: 'The input is invalid: `ValidationError`.' },
    NOT_FOUND: { description: 'The tenant has no object with this id: `NotFoundError`.' },
    CONFLICT: { description: 'The current state does not allow the change: `ConflictError`.' },
    FORBIDDEN: { description: 'The token’s role is too low: `ForbiddenError`.' },
    DEVICE_UNREACHABLE: { description: 'The device is not registered: `DeviceUnreachableError`.' },
    DEVICE_DELETED: {
      description: 'The device of a subscription was deleted; only in `extensions.code`, not an error of a mutation.',
    },
  } satisfies Record<FleetErrorCode, { description: string }>,
});

const UserError = builder.interfaceRef<FleetError>('UserError').implement({
  description:
    'An error of a mutation that the caller can correct. Each mutation’s result is a union of its payload and such errors. Select `... on UserError { message }`; without it, an error is returned as `{}`.',
  fields: (t) => ({
    code: t.expose('code', {
      type: UserErrorCodeEnum,
      description: 'The kind of the error, for programs: `CONFLICT`.',
    }),
    message: t.exposeString('message', {
      description: 'What is wrong, as text for people. The description of each error type has an example.',
    }),
  }),
});

builder.objectType(Validation, {
  name: 'ValidationError',
  description: 'The input is invalid; nothing was changed. Example of a message: `"/3/0/9 is not executable"`.',
  interfaces: [UserError],
  fields: (t) => ({
    field: t.stringList({
      description:
        'The invalid part of the input, as a path of field names and list positions: `["values", "0", "path"]`. Empty if the input as a whole is invalid.',
      resolve: (error) => [...error.field],
    }),
  }),
});

builder.objectType(NotFound, {
  name: 'NotFoundError',
  description:
    'The id is well-formed, but the caller’s tenant has no such object; another tenant’s ids get this error too. Example of a message: `"no such device"`.',
  interfaces: [UserError],
});

builder.objectType(Conflict, {
  name: 'ConflictError',
  description:
    'The input is valid, but the current state does not allow the change: a unique value is taken, the object is in use, a limit is reached, or somebody changed the object since the time in `ifUpdatedAt`. Example of a message: `"another device has this endpoint"`.',
  interfaces: [UserError],
  fields: (t) => ({
    changed: t.stringList({
      description:
        'After a stale `ifUpdatedAt`: the fields that were changed since, by their names in the input: `["name", "tags"]`; for `uploadObjectDefinition` the object versions: `["26241/1.0"]`. Empty after any other conflict, and if the server does not know the fields.',
      resolve: ({ stale }) => [...(stale?.changed ?? [])],
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'After a stale `ifUpdatedAt`: when the object was last changed. Null after any other conflict, and if the object was deleted.',
      resolve: ({ stale }) => stale?.updatedAt ?? null,
    }),
  }),
});

builder.objectType(Forbidden, {
  name: 'ForbiddenError',
  description:
    'The token’s role is too low for this mutation; `Role` lists the rights of each role. Example of a message: `"Mutation.readResources is not for the role viewer"`.',
  interfaces: [UserError],
});

/** A call that could not be sent. Its RPC stays recorded. */
class DeviceUnreachable extends FleetError {
  readonly rpc: Rpc;

  constructor(rpc: Rpc) {
    super('DEVICE_UNREACHABLE', rpc.error?.message ?? 'the device is not registered');
    this.rpc = rpc;
  }
}

builder.objectType(DeviceUnreachable, {
  name: 'DeviceUnreachableError',
  description:
    'The device is not registered, so a TWO_WAY call was not sent. To send it as soon as the device registers, call again with mode PERSISTENT. Example of a message: `"the device is not registered"`.',
  interfaces: [UserError],
  fields: (t) => ({
    rpc: t.expose('rpc', { type: RpcNode, description: 'The recorded RPC. Its status is TIMEOUT.' }),
  }),
});

/** Returns the RPC of a call; throws DeviceUnreachable if the device was not registered. */
export function reached(rpc: Rpc): Rpc {
  if (rpc.status === 'TIMEOUT' && rpc.error?.code === 'DEVICE_UNREACHABLE') throw new DeviceUnreachable(rpc);
  return rpc;
}

/** Every mutation can return these errors. Mutations that call a device can also return DeviceUnreachable. */
const ERRORS = [Validation, NotFound, Conflict, Forbidden];
const DEVICE_ERRORS = [...ERRORS, DeviceUnreachable];

/** When a mutation returns each error, for the description of its result; an error without an entry does not occur. */
interface ErrorCases {
  readonly role: 'operator' | 'admin';
  readonly validation: string;
  readonly notFound?: string;
  readonly conflict?: string;
}

/** The options that make a mutation's result a union of its payload and its errors. */
export function resultUnion(mutation: string, { role, validation, notFound, conflict }: ErrorCases) {
  const cases = [
    `\`ValidationError\`: ${validation}.`,
    notFound && `\`NotFoundError\`: ${notFound}.`,
    conflict && `\`ConflictError\`: ${conflict}.`,
    `\`ForbiddenError\`: the token’s role is ${role === 'admin' ? 'not admin' : 'viewer'}.`,
  ];
  return {
    types: ERRORS,
    union: {
      name: `${mutation}Result`,
      description: [`\`${mutation}Payload\` on success.`, ...cases.filter((text) => text !== undefined)].join(' '),
    },
  };
}

/** As `resultUnion`, for a mutation that calls a device. `wrong` describes what the ValidationError means there. */
export function deviceResultUnion(mutation: string, wrong: string) {
  const { union } = resultUnion(mutation, {
    role: 'operator',
    validation: `${wrong}, or an option is out of range`,
    notFound: 'the tenant has no device with this id',
    conflict:
      '1000 calls already wait for this device, the idempotency key belongs to another call, or the server is stopping',
  });
  const unreachable =
    '`DeviceUnreachableError`: the device is not registered and the mode is TWO_WAY. A call that the device refuses is not an error here: `rpc.status` is FAILED.';
  return { types: DEVICE_ERRORS, union: { ...union, description: `${union.description} ${unreachable}` } };
}

/**
 * Converts a FleetError of an execution to the error that the caller gets. Queries and subscriptions have no result
 * unions, so such an error is an entry of `errors`, with its code in `extensions.code` and, for VALIDATION, the argument
 * in `extensions.field`. Returns null for any other error.
 */
export function expectedError(error: GraphQLError): GraphQLError | null {
  const { originalError } = error;
  if (!(originalError instanceof FleetError)) return null;
  const { code, field, message } = originalError;
  return new GraphQLError(message, {
    nodes: error.nodes,
    path: error.path,
    extensions: { code, ...(code === 'VALIDATION' && { field }) },
  });
}
