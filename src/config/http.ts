import { headerNames, integer, networks, origin, origins } from './checks.ts';
import type { SettingReader } from './reader.ts';
import { settings } from './settings.ts';

/** The settings of the API’s server. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** PEM files; null: HTTP without TLS. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null;
  readonly allowedOrigins: readonly string[];
  /** Whether pages on this machine may call the API. */
  readonly localPages: boolean;
  readonly corsHeaders: readonly string[];
  readonly publicUrl: string | null;
  readonly trustedProxies: readonly string[];
  readonly keepAliveMs: number;
  readonly introspection: boolean;
  readonly graphiql: boolean;
  /** Whether /metrics answers requests without an admin token. */
  readonly openMetrics: boolean;
  readonly limits: { readonly responseBytes: number };
}

/** `embedded`: whether the database is the embedded one, for which some defaults are more open. */
export function readHttp(reader: SettingReader, embedded: boolean): HttpConfig {
  return {
    host: reader.host(settings.httpHost),
    port: reader.port(settings.httpPort),
    tls: reader.certificate(settings.httpCertificate, settings.httpKey),
    allowedOrigins: reader.parse(
      settings.allowedOrigins,
      origins,
      'a comma-separated list of origins like https://app.example.com, without a path or a slash at the end',
    ),
    localPages: embedded,
    corsHeaders: reader.parse(settings.corsHeaders, headerNames, 'a comma-separated list of header names'),
    publicUrl: reader.optional(
      settings.publicUrl,
      origin,
      'an origin like https://api.example.com, without a path or a slash at the end',
    ),
    trustedProxies: reader.parse(
      settings.trustedProxies,
      networks,
      'a comma-separated list of IP addresses and networks like 10.0.0.0/8',
    ),
    keepAliveMs: reader.parse(settings.keepAlive, integer(1, 3_600), 'a number of seconds from 1 to 3600') * 1000,
    introspection: reader.flag(settings.introspection),
    graphiql: reader.flag(settings.graphiql, embedded),
    openMetrics: reader.flag(settings.openMetrics),
    limits: {
      responseBytes: reader.parse(
        settings.maxResponseBytes,
        integer(1024, 1_073_741_824),
        'a number of bytes from 1024 to 1073741824',
      ),
    },
  };
}
