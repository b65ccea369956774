export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A setting: its environment variable, default and meaning. */
export interface Setting {
  readonly variable: string;
  /** Default, written as in the environment; null: `meaning` says what happens when the variable is absent. */
  readonly fallback: string | null;
  readonly meaning: string;
  /** Errors never contain the value of a secret. */
  readonly secret?: boolean;
}

/** In the order of the table in the README. */
export const settings = {
  databaseUrl: {
    variable: 'DATABASE_URL',
    fallback: null,
    secret: true,
    meaning:
      'Postgres database, for example postgres://user:password@host:5432/database. If absent, Treeline uses the embedded database in TREELINE_DATA_DIR.',
  },
  databaseRoles: {
    variable: 'TREELINE_DATABASE_ROLES',
    fallback: null,
    meaning:
      'Prefix of the three Postgres roles of this installation: PREFIX_app, PREFIX_system, PREFIX_connection. If absent, an existing database keeps its roles, and a new one gets treeline_ and the name of the database.',
  },
  databasePool: {
    variable: 'TREELINE_DATABASE_POOL_SIZE',
    fallback: '10',
    meaning: 'Postgres connections of this process at most (1 to 1000), besides one that listens.',
  },
  databaseStatement: {
    variable: 'TREELINE_DATABASE_STATEMENT_SECONDS',
    fallback: '20',
    meaning:
      'Seconds that Postgres may take for a statement (1 to 3600). A connection that does not answer 5 seconds later is replaced.',
  },
  dataDir: {
    variable: 'TREELINE_DATA_DIR',
    fallback: './.treeline',
    meaning: 'Directory of the embedded database and of the secret key and DTLS certificate that Treeline generates.',
  },
  kafkaBrokers: {
    variable: 'KAFKA_BROKERS',
    fallback: null,
    meaning:
      'Redpanda or Kafka brokers, separated by commas, for example host:9092,host:9092. If absent, telemetry is stored but not published.',
  },
  kafkaTls: { variable: 'KAFKA_TLS', fallback: 'false', meaning: 'Whether Treeline connects to the brokers over TLS.' },
  kafkaAuthorities: {
    variable: 'KAFKA_TLS_CA',
    fallback: null,
    meaning:
      'PEM file with the certificate authorities of the brokers. If absent, Treeline uses Node’s built-in certificate authorities.',
  },
  kafkaMechanism: {
    variable: 'KAFKA_SASL_MECHANISM',
    fallback: null,
    meaning: `SASL mechanism for the brokers: ${SASL_MECHANISMS.join(', ')}; plain requires KAFKA_TLS=true. If absent, Treeline does not authenticate.`,
  },
  kafkaUsername: {
    variable: 'KAFKA_SASL_USERNAME',
    fallback: null,
    meaning: 'SASL user name; required with KAFKA_SASL_MECHANISM.',
  },
  kafkaPassword: {
    variable: 'KAFKA_SASL_PASSWORD',
    fallback: null,
    secret: true,
    meaning: 'SASL password; required with KAFKA_SASL_MECHANISM.',
  },
  telemetryTopic: {
    variable: 'TREELINE_TELEMETRY_TOPIC',
    fallback: 'telemetry.raw.{tenant_id}',
    meaning: 'Topic of telemetry points; Treeline replaces {tenant_id} with the tenant’s id.',
  },
  statusTopic: {
    variable: 'TREELINE_STATUS_TOPIC',
    fallback: 'device.status',
    meaning: 'Topic of device status events; Treeline replaces {tenant_id} with the tenant’s id.',
  },
  telemetryFormat: {
    variable: 'TREELINE_TELEMETRY_FORMAT',
    fallback: 'json',
    meaning: 'Format of telemetry points: json or protobuf. Status events are always JSON.',
  },
  telemetryRetention: {
    variable: 'TREELINE_TELEMETRY_RETENTION_DAYS',
    fallback: '30',
    meaning: 'Days before telemetry is deleted from the database (1 to 3650).',
  },
  httpHost: {
    variable: 'TREELINE_HTTP_HOST',
    fallback: '127.0.0.1',
    meaning: 'Host name or address that the GraphQL server listens on.',
  },
  httpPort: {
    variable: 'TREELINE_HTTP_PORT',
    fallback: '4000',
    meaning: 'Port of the GraphQL server (HTTP, WebSocket and SSE).',
  },
  httpCertificate: {
    variable: 'TREELINE_HTTP_TLS_CERT',
    fallback: null,
    meaning:
      'PEM file with the certificate of the GraphQL server and its issuers: the server then speaks only HTTPS and WSS. A changed file is used within a minute. If absent, HTTP without TLS.',
  },
  httpKey: {
    variable: 'TREELINE_HTTP_TLS_KEY',
    fallback: null,
    meaning: 'PEM file with the private key of TREELINE_HTTP_TLS_CERT, without a passphrase.',
  },
  openMetrics: {
    variable: 'TREELINE_METRICS_WITHOUT_TOKEN',
    fallback: 'false',
    meaning: 'Whether /metrics answers everybody. Otherwise a request needs the token of an admin.',
  },
  allowedOrigins: {
    variable: 'TREELINE_ALLOWED_ORIGINS',
    fallback: '',
    meaning:
      'Origins of web apps on other sites that may call the API, exactly as the browser sends them, separated by commas: http://localhost:5173,https://app.example.com. No slash at the end, no *. With the embedded database, pages on localhost are always allowed.',
  },
  corsHeaders: {
    variable: 'TREELINE_CORS_HEADERS',
    fallback:
      'traceparent,tracestate,baggage,sentry-trace,b3,X-Request-Id,Apollo-Require-Preflight,apollographql-client-name,apollographql-client-version,X-Apollo-Operation-Name,X-Apollo-Operation-Id',
    meaning:
      'Request headers that web apps of other origins may send, besides Authorization, Content-Type and Accept, separated by commas.',
  },
  publicUrl: {
    variable: 'TREELINE_PUBLIC_URL',
    fallback: null,
    meaning:
      'Origin at which browsers reach the GraphQL server, if a proxy is in front of it, for example https://api.example.com. Its pages may call the API.',
  },
  trustedProxies: {
    variable: 'TREELINE_TRUSTED_PROXIES',
    fallback: '',
    meaning:
      'IP addresses and networks of proxies, separated by commas, for example 127.0.0.1,10.0.0.0/8. Only from them, X-Forwarded-For, -Host and -Proto count.',
  },
  keepAlive: {
    variable: 'TREELINE_HTTP_KEEP_ALIVE_SECONDS',
    fallback: '75',
    meaning:
      'Seconds that an idle HTTP connection stays open (1 to 3600). It must be longer than the idle timeout of a load balancer in front, usually 60.',
  },
  introspection: {
    variable: 'TREELINE_INTROSPECTION',
    fallback: 'true',
    meaning: 'Whether clients may query the schema (GraphQL introspection).',
  },
  graphiql: {
    variable: 'TREELINE_GRAPHIQL',
    fallback: null,
    meaning:
      'Whether a browser that opens /graphql gets GraphiQL. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  maxResponseBytes: {
    variable: 'TREELINE_GRAPHQL_MAX_RESPONSE_BYTES',
    fallback: '16777216',
    meaning: 'Bytes of the response of one GraphQL operation, or of one event of a subscription (1024 to 1073741824).',
  },
  coapHost: {
    variable: 'TREELINE_COAP_HOST',
    fallback: '127.0.0.1',
    meaning:
      'IP address that NoSec CoAP listens on. The default is loopback because NoSec devices are not authenticated.',
  },
  coapPort: { variable: 'TREELINE_COAP_PORT', fallback: '5683', meaning: 'Port of NoSec CoAP, UDP and TCP.' },
  coapAckTimeout: {
    variable: 'TREELINE_COAP_ACK_TIMEOUT_MS',
    fallback: '2000',
    meaning: 'ACK_TIMEOUT of RFC 7252 §4.8 in milliseconds (100 to 60000); NB-IoT needs 4000 to 15000.',
  },
  connectionsPerAddress: {
    variable: 'TREELINE_COAP_CONNECTIONS_PER_ADDRESS',
    fallback: '1000',
    meaning: 'TCP connections, and TLS connections, of devices from one IPv4 address or one IPv6 /64 (1 to 100000).',
  },
  handshakesPerAddress: {
    variable: 'TREELINE_DTLS_HANDSHAKES_PER_ADDRESS',
    fallback: '256',
    meaning: 'DTLS handshakes in progress from one IPv4 address or one IPv6 /64 (1 to 5000).',
  },
  coapsHost: {
    variable: 'TREELINE_COAPS_HOST',
    fallback: null,
    meaning:
      'IP addresses that CoAP over DTLS and TLS listens on, separated by commas. If absent, all addresses of the machine.',
  },
  coapsPort: {
    variable: 'TREELINE_COAPS_PORT',
    fallback: '5684',
    meaning: 'Port of CoAP over DTLS (UDP) and over TLS (TCP).',
  },
  bootstrapPort: {
    variable: 'TREELINE_BOOTSTRAP_PORT',
    fallback: '5783',
    meaning:
      'UDP port of the bootstrap server over NoSec CoAP, on TREELINE_COAP_HOST. It answers only clients on the same machine.',
  },
  bootstrapCoapsPort: {
    variable: 'TREELINE_BOOTSTRAP_COAPS_PORT',
    fallback: '5784',
    meaning: 'UDP port of the bootstrap server over DTLS, on TREELINE_COAPS_HOST.',
  },
  noSecBootstrap: {
    variable: 'TREELINE_NOSEC_BOOTSTRAP',
    fallback: null,
    meaning:
      'Whether devices without any credential may bootstrap over NoSec. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  dtlsCertificate: {
    variable: 'TREELINE_DTLS_CERT',
    fallback: null,
    meaning:
      'PEM file with the server’s certificate (EC P-256) and its issuers. If absent, the first start generates a self-signed certificate.',
  },
  dtlsKey: {
    variable: 'TREELINE_DTLS_KEY',
    fallback: null,
    meaning: 'PEM file with the private key of TREELINE_DTLS_CERT.',
  },
  secretKey: {
    variable: 'TREELINE_SECRET_KEY',
    fallback: null,
    secret: true,
    meaning:
      'Key that encrypts device keys in the database: 32 bytes in base64 or hex. If absent, the first start generates one in the file secret.key of TREELINE_DATA_DIR (mode 0600).',
  },
  adminToken: {
    variable: 'TREELINE_ADMIN_TOKEN',
    fallback: null,
    secret: true,
    meaning:
      'Bearer token of the default tenant’s admin: 16 to 256 printable ASCII characters without spaces. If absent, the first start generates a token, prints it once and stores only its hash.',
  },
  autoProvision: {
    variable: 'TREELINE_AUTO_PROVISION',
    fallback: null,
    meaning:
      'Whether a NoSec device with an unknown endpoint is added to the default tenant and profile when it registers. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  autoProvisionPerNetwork: {
    variable: 'TREELINE_AUTO_PROVISION_PER_NETWORK',
    fallback: '1000',
    meaning:
      'How many of the stored devices may have been added automatically (TREELINE_AUTO_PROVISION) from one IPv4 address or IPv6 /64 prefix. A Register of a further unknown endpoint is refused with 4.03.',
  },
  autoProvisionTotal: {
    variable: 'TREELINE_AUTO_PROVISION_TOTAL',
    fallback: '10000',
    meaning: 'The same for all addresses together.',
  },
  registrationGrace: {
    variable: 'TREELINE_REGISTRATION_GRACE_SECONDS',
    fallback: '93',
    meaning: 'Seconds after the end of its lifetime until a registration expires (0 to 86400).',
  },
  deviceReadings: {
    variable: 'TREELINE_DEVICE_READINGS_PER_SECOND',
    fallback: '100',
    meaning:
      'Readings per second that a device may send, after 100 times as many at once (1 to 1000000). A Send above it gets 4.29 with Max-Age; a notification is stored and acknowledged later.',
  },
  tenantReadings: {
    variable: 'TREELINE_TENANT_READINGS_PER_SECOND',
    fallback: null,
    meaning: 'The same for all devices of a tenant together (1 to 10000000). If absent: no limit.',
  },
  watchLinger: {
    variable: 'TREELINE_WATCH_LINGER_SECONDS',
    fallback: '30',
    meaning: 'Seconds that an observation goes on after its last subscriber left (0 to 3600).',
  },
  watchRequests: {
    variable: 'TREELINE_WATCH_REQUESTS_PER_MINUTE',
    fallback: '60',
    meaning: 'Requests per minute to one device for subscribers, after 200 at once (1 to 60000).',
  },
  logLevel: {
    variable: 'TREELINE_LOG_LEVEL',
    fallback: 'info',
    meaning: `Lowest level that is logged: ${LOG_LEVELS.join(', ')}.`,
  },
} as const satisfies Record<string, Setting>;
