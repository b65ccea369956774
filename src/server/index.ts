export { ServerError, type ServerErrorCode } from './error.ts';
export type { Health, MetricsText, Readiness } from './health.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http.ts';
export type { Log } from './log.ts';
export { DEFAULT_LIMITS, type HttpLimits, type HttpSettings, type TlsIdentity } from './settings.ts';
