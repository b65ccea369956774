export {
  fieldOfCall,
  isBuiltInMethod,
  operationOf,
  type RpcMethod,
  STANDARD_METHODS,
  templateProblem,
} from './method.ts';
export type { OperationInput } from './operation-input.ts';
export { type Plan, planOperation, type PlanSource } from './plan.ts';
export { rangeProblem } from './write-rules.ts';
