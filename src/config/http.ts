import { integer, origins } from './checks.ts';
import type { SettingReader } from './reader.ts';
import { settings } from './settings.ts';

/** The settings of the API’s server. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** PEM files; null: HTTP without TLS. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null;
  readonly allowedOrigins: readonly string[];
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
