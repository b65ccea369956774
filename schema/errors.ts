import { GraphQLError } from 'graphql';
import { FleetError, type FleetErrorCode, type Rpc } from '../src/fleet/index.ts';
import { builder } from './builder.ts';
import { RpcNode } from './nodes.ts';

/** The FleetErrors of one code, as a class that `instanceof` tells apart: each is a type of the API. */
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

const UserError = builder.interfaceRef<FleetError>('UserError').implement({
  description:
    'What a caller can mend. Every mutation’s result is a union of its payload and such errors: `... on UserError { message }` takes them all.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What is wrong, for people: `"endpoint: a device with urn:imei:123 exists"`.',
    }),
  }),
});

builder.objectType(Validation, {
  name: 'ValidationError',
  description: 'The input breaks a rule; nothing was changed.',
  interfaces: [UserError],
  fields: (t) => ({
    field: t.stringList({
      description:
        'The wrong part of the input, as a path of names and list positions: `["values", "0", "path"]`. Empty when it is the input as a whole.',
      resolve: (error) => [...error.field],
    }),
  }),
});

builder.objectType(NotFound, {
  name: 'NotFoundError',
  description: 'The caller’s tenant has nothing with this id.',
  interfaces: [UserError],
});

builder.objectType(Conflict, {
  name: 'ConflictError',
  description:
    'The state of things does not allow it: an endpoint that exists already, a profile in use, an RPC that has ended.',
  interfaces: [UserError],
});

builder.objectType(Forbidden, {
  name: 'ForbiddenError',
  description: 'The token’s role may not do this. Roles: viewer reads, operator also operates, admin also administers.',
  interfaces: [UserError],
});

/** A call that could not go out; that it was made stays on record. */
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
    'The device has no registration, so nothing could be sent to it. Mode PERSISTENT keeps the call until the device comes.',
  interfaces: [UserError],
  fields: (t) => ({
    rpc: t.expose('rpc', { type: RpcNode, description: 'The RPC on record: it ended with status TIMEOUT.' }),
  }),
});

/** The RPC of a call, unless it ended because there was nobody to send it to. */
export function reached(rpc: Rpc): Rpc {
  if (rpc.status === 'TIMEOUT' && rpc.error?.code === 'DEVICE_UNREACHABLE') throw new DeviceUnreachable(rpc);
  return rpc;
}

/** The errors of every mutation; those that ask something of a device can also find it unreachable. */
const ERRORS = [Validation, NotFound, Conflict, Forbidden];
const DEVICE_ERRORS = [...ERRORS, DeviceUnreachable];

/** The options that make a mutation's field a union of its payload and the errors a caller can mend. */
export function resultUnion(mutation: string, asks: 'platform' | 'device' = 'platform') {
  return {
    types: asks === 'device' ? DEVICE_ERRORS : ERRORS,
    union: {
      name: `${mutation}Result`,
      description: `What became of it: ${mutation}Payload, or the error that the caller can mend.`,
    },
  };
}

/**
 * An error of an execution as the caller may see it: queries and subscriptions have no result unions, so what a caller
 * can mend stands in `errors` with its code in `extensions.code` and, for VALIDATION, the argument in
 * `extensions.field`. Null for an error that nobody expected.
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
