export { createBootstrapHandlers } from './bootstrap-handlers.ts';
export { BootstrapJournal } from './bootstrap-journal.ts';
export { createBootstrapLookUp } from './bootstrap-look-up.ts';
export { BootstrapPlans, planContext } from './bootstrap-plans.ts';
export type {
  Bootstrap,
  BootstrapEvents,
  BootstrapPlan,
  Bootstraps,
  BootstrapStatus,
  FactoryCredential,
  PlanOwner,
  StoredPlan,
} from './bootstrap.ts';
export { factoryContext, FactoryCredentials } from './factory-credentials.ts';
export { FreshCredentials } from './fresh-credentials.ts';
