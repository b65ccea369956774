import { bootstrapPlans, credentials, factoryCredentials } from '../store/index.ts';
import { planContext, factoryContext } from './bootstrap/index.ts';
import { keyContext } from './credentials/index.ts';

/** Every column that holds sealed secrets, with the context that binds a secret to its row. */
export const SEALED = [
  { table: credentials, column: credentials.sealedKey, context: keyContext },
  { table: factoryCredentials, column: factoryCredentials.sealedKey, context: factoryContext },
  { table: bootstrapPlans, column: bootstrapPlans.sealedPlan, context: planContext },
] as const;
