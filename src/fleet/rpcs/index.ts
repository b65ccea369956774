export { RpcDispatcher } from './rpc-dispatcher.ts';
export { createExecution } from './rpc-execution.ts';
export { RpcJournal } from './rpc-journal.ts';
export type {
  Rpc,
  RpcError,
  RpcErrorCode,
  RpcEvents,
  RpcMode,
  RpcOptions,
  Rpcs,
  RpcStatus,
  RpcTransition,
} from './rpc.ts';
export { createRpcs } from './rpcs.ts';
export type { SleepingDevice, SmsTrigger } from './sms-trigger.ts';
export { RPC_LIMITS } from './rpc.ts';
export type { Delivery } from './delivery.ts';
export { hasEnded, progressOf } from './rpc-state.ts';
