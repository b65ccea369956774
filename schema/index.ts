import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
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
import './bootstrap/bootstrap.ts';
import './bootstrap/bootstrap-plan.ts';
import './credential/factory-credential.ts';
import './subscription/subscription.ts';

export { createContext, type ApiEvents, type Context, type Services } from './context.ts';
export { costOf, type Cost } from './cost.ts';
export type { CostLimits } from './limits.ts';
export { expectedError } from './errors.ts';
export type { LiveEvent } from './subscription/live.ts';

builder.queryType({ description: 'What can be asked. Everything is of the token’s tenant only.' });
builder.mutationType({
  description:
    'What can be done. Every result is a union of the mutation’s payload and the errors that the caller can mend. What a device refuses is no error here: it is its RPC’s status FAILED.',
});

/** The GraphQL API. */
export const schema: GraphQLSchema = builder.toSchema();

/** The API in SDL, sorted: what schema/schema.graphql holds. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
