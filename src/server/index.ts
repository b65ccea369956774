export { ServerError, type ServerErrorCode } from './error.ts';
export type { Health, MetricsText, Readiness } from './health.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http.ts';
export type { Log } from './log.ts';
export {
  COUNTED_PATHS,
  OPERATION_OUTCOMES,
  OPERATION_TYPES,
  OTHER_OPERATION,
  STATUS_CLASSES,
  type TrafficMeter,
} from './traffic.ts';
export { DEFAULT_LIMITS, type HttpLimits, type HttpSettings, type TlsIdentity } from './settings.ts';
