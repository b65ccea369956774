import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './scalars.ts';
import './errors.ts';
import './tenant.ts';
import './api-key.ts';
import './object-definition.ts';
import './profile.ts';
import './registration-profile.ts';
import './device-list.ts';
import './device-mutations.ts';
import './credential.ts';
import './trust-anchor.ts';
import './rpc.ts';
import './operation-instances.ts';
import './operation-observing.ts';
import './operation-values.ts';
import './bootstrap.ts';
import './bootstrap-plan.ts';
import './factory-credential.ts';
import './subscription.ts';

export { createContext, type ApiEvents, type Context, type Services } from './context.ts';
export { costOf, type Cost, type CostLimits } from './cost.ts';
export { expectedError } from './errors.ts';
export type { LiveEvent } from './live.ts';

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
