import { GraphQLOneOfDirective as ONE_OF, lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { endWithDevice } from './subscription/until-deleted.ts';
import { listErrors } from './mutation-errors.ts';
import { countResponses } from './response-size.ts';
import './scalars.ts';
import './errors.ts';
import './tenant/tenant.ts';
import './tenant/api-key.ts';
import './object/object-definition.ts';
import './profile/profile.ts';
import './profile/registration-profile.ts';
import './device/device-list.ts';
import './device/device-mutations.ts';
import './credential/credential.ts';
import './credential/trust-anchor.ts';
import './rpc/rpc.ts';
import './operation/instances.ts';
import './operation/observing.ts';
import './operation/values.ts';
import './device/registration-problem.ts';
import './bootstrap/bootstrap.ts';
import './bootstrap/bootstrap-plan.ts';
import './credential/factory-credential.ts';
import './subscription/device-changed.ts';
import './subscription/subscription.ts';
import './subscription/resource-changed.ts';

export { createContext, type ApiEvents, type Context, type Services } from './context.ts';
export { costOf, type Cost, type Measured } from './cost.ts';
export type { CostLimits } from './limits.ts';
export { expectedError } from './errors.ts';
export type { LiveEvent } from './subscription/live.ts';

builder.queryType({ description: 'The queries. They return only data of the token’s tenant.' });
builder.mutationType({
  description:
    'The mutations. Each result is a union of a payload and the errors ValidationError, NotFoundError, ConflictError and ForbiddenError; mutations that call a device also have DeviceUnreachableError. If a device refuses a call, the result is the payload, with `rpc.status` FAILED and the reason in `rpc.error`.',
});

/** The GraphQL API. */
export const schema: GraphQLSchema = countResponses(listErrors(endWithDevice(builder.toSchema())));

/** The API as sorted SDL: the content of schema/schema.graphql. */
export function printedSchema(): string {
  // graphql-js prints no definition of the directives that it knows itself; other tools may not know this one.
  return `"""${ONE_OF.description}"""\ndirective @${ONE_OF.name} on ${ONE_OF.locations.join(' | ')}\n\n${printSchema(lexicographicSortSchema(schema))}\n`;
}
