import type { RpcError } from './rpc.ts';

export const UNREACHABLE: RpcError = {
  code: 'DEVICE_UNREACHABLE',
  coapCode: null,
  message: 'the device is not registered',
};
export const TOO_LATE: RpcError = {
  code: 'TIMEOUT',
  coapCode: null,
  message: 'nothing could be sent to the device in time',
};
export const ASLEEP: RpcError = {
  code: 'TIMEOUT',
  coapCode: null,
  message: 'the device did not wake in time, and nothing was sent to it: mode PERSISTENT holds the call until it wakes',
};
/** Ends a call that the device may have done. */
export const PERHAPS_DONE: RpcError = {
  code: 'UNKNOWN',
  coapCode: null,
  message: 'the request was sent and the device did not answer: it may have been done',
};
export const RESTARTED: RpcError = {
  code: 'TIMEOUT',
  coapCode: null,
  message: 'the server restarted before the device answered',
};
export const EXPIRED: RpcError = {
  code: 'EXPIRED',
  coapCode: null,
  message: 'the call expired before the device received it',
};
