import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config/index.ts';

describe('readConfig', () => {
  it('uses the embedded database, loopback and automatic provisioning by default', () => {
    expect(readConfig({})).toMatchObject({
      database: { kind: 'embedded', directory: '.treeline/database' },
      kafka: { brokers: [], telemetryTopic: 'telemetry.raw.{tenant_id}', statusTopic: 'device.status' },
      http: { host: '127.0.0.1', port: 4000 },
      coap: { host: '127.0.0.1', port: 5683 },
      coaps: { hosts: [expect.stringMatching(/^(::|0\.0\.0\.0)$/)], port: 5684, identity: null },
      secretKey: null,
      adminToken: null,
      autoProvision: { perNetwork: 1_000, total: 10_000 },
      bootstrap: { noSec: true },
    });
  });

  it('turns automatic provisioning off with DATABASE_URL unless TREELINE_AUTO_PROVISION is true', () => {
    const url = 'postgres://treeline:secret@db:5432/treeline';
    expect(readConfig({ DATABASE_URL: url })).toMatchObject({
      database: { kind: 'postgres', url },
      autoProvision: null,
    });
    const limits = { TREELINE_AUTO_PROVISION_PER_NETWORK: '5', TREELINE_AUTO_PROVISION_TOTAL: '7' };
    expect(readConfig({ DATABASE_URL: url, TREELINE_AUTO_PROVISION: 'true', ...limits }).autoProvision).toEqual({
      perNetwork: 5,
      total: 7,
    });
  });

  it('turns bootstrap over NoSec off with DATABASE_URL unless TREELINE_NOSEC_BOOTSTRAP is true', () => {
    const url = 'postgres://treeline:secret@db:5432/treeline';
    expect(readConfig({ DATABASE_URL: url }).bootstrap.noSec).toBe(false);
    expect(readConfig({ DATABASE_URL: url, TREELINE_NOSEC_BOOTSTRAP: 'true' }).bootstrap.noSec).toBe(true);
  });

  it('reads the settings about proxies and web pages', () => {
    const { http } = readConfig({
      TREELINE_PUBLIC_URL: 'https://api.example.com',
      TREELINE_TRUSTED_PROXIES: '127.0.0.1, ::1,10.0.0.0/8',
      TREELINE_CORS_HEADERS: 'X-One, X-Two',
    });
    expect(http).toMatchObject({
      publicUrl: 'https://api.example.com',
      trustedProxies: ['127.0.0.1', '::1', '10.0.0.0/8'],
      corsHeaders: ['X-One', 'X-Two'],
      keepAliveMs: 75_000,
      localPages: true,
    });
    const other = readConfig({ DATABASE_URL: 'postgres://treeline:secret@db:5432/treeline' });
    expect(other.http).toMatchObject({ publicUrl: null, trustedProxies: [], localPages: false });
    expect(other.http.corsHeaders).toContain('traceparent');
  });

  it('treats an empty variable as absent', () => {
    expect(readConfig({ DATABASE_URL: '', KAFKA_BROKERS: ' ' })).toMatchObject({
      database: { kind: 'embedded' },
      kafka: { brokers: [] },
    });
  });

  it('reads the TLS and SASL settings of the brokers', () => {
    const account = { KAFKA_SASL_USERNAME: 'treeline', KAFKA_SASL_PASSWORD: 'hunter2' };
    expect(
      readConfig({ KAFKA_TLS: 'true', KAFKA_TLS_CA: '/etc/ca.pem', KAFKA_SASL_MECHANISM: 'plain', ...account }).kafka,
    ).toMatchObject({
      tls: { authoritiesFile: '/etc/ca.pem' },
      sasl: { mechanism: 'plain', username: 'treeline', password: 'hunter2' },
    });
    expect(() => readConfig({ KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'treeline' })).toThrow(
      'KAFKA_SASL_PASSWORD is missing; KAFKA_SASL_MECHANISM requires it',
    );
  });

  it.each([
    [{ KAFKA_TLS_CA: '/etc/ca.pem' }, 'KAFKA_TLS_CA requires KAFKA_TLS=true'],
    [{ KAFKA_TLS_CA: '/etc/ca.pem', KAFKA_TLS: 'false' }, 'KAFKA_TLS_CA requires KAFKA_TLS=true'],
    [{ KAFKA_SASL_USERNAME: 'treeline' }, 'KAFKA_SASL_USERNAME requires KAFKA_SASL_MECHANISM, one of plain'],
    [{ KAFKA_SASL_PASSWORD: 'hunter2' }, 'KAFKA_SASL_PASSWORD requires KAFKA_SASL_MECHANISM, one of plain'],
  ])('rejects %o, which would leave the brokers’ connection unprotected', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  it.each([
    ['TREELINE_HTP_PORT', 'TREELINE_HTTP_PORT'],
    ['TREELINE_DATABASE_URL', 'DATABASE_URL'],
    ['TREELINE_KAFKA_BROKERS', 'KAFKA_BROKERS'],
    ['KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['KAFKA_SASL_USER_NAME', 'KAFKA_SASL_USERNAME'],
  ])('rejects the unknown variable %s and names the nearest setting', (variable, nearest) => {
    expect(() => readConfig({ [variable]: '1' })).toThrow(`${variable} is not a setting; did you mean ${nearest}?`);
    expect(() => readConfig({ [variable]: ' ' })).not.toThrow();
  });

  it('accepts the variables of Kubernetes’ services, of the examples, of the tests and of other programs', () => {
    const environment = {
      TREELINE_PORT: 'tcp://10.0.0.1:4000',
      TREELINE_PORT_4000_TCP: 'tcp://10.0.0.1:4000',
      TREELINE_PORT_4000_TCP_ADDR: '10.0.0.1',
      TREELINE_SERVICE_HOST: '10.0.0.1',
      TREELINE_SERVICE_PORT_HTTP: '4000',
      TREELINE_API_PORT: 'tcp://10.0.0.1:80',
      TREELINE_API_SERVICE_PORT: '80',
      TREELINE_URL: 'http://127.0.0.1:4000/graphql',
      TREELINE_TOKEN: 'tl_1',
      TREELINE_TENANT: 'default',
      TREELINE_TEST_DATABASE_URL: 'postgres://db/test',
      KAFKA_HEAP_OPTS: '-Xmx1g',
    };
    expect(readConfig(environment)).toEqual(readConfig({}));
  });

  it.each([
    [{ TREELINE_COAP_PORT: '5684' }, 'TREELINE_COAP_PORT and TREELINE_COAPS_PORT are both 5684'],
    [{ TREELINE_HTTP_PORT: '5683' }, 'TREELINE_HTTP_PORT and TREELINE_COAP_PORT are both 5683; TCP'],
    [{ TREELINE_BOOTSTRAP_PORT: '5683' }, 'TREELINE_COAP_PORT and TREELINE_BOOTSTRAP_PORT are both 5683; UDP'],
    [{ TREELINE_BOOTSTRAP_COAPS_PORT: '5684' }, 'TREELINE_COAPS_PORT and TREELINE_BOOTSTRAP_COAPS_PORT are both'],
  ])('rejects %o: two settings share a port', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  it('accepts one port for two protocols or two addresses, and port 0 everywhere', () => {
    expect(() => readConfig({ TREELINE_HTTP_PORT: '5783' })).not.toThrow();
    const addresses = { TREELINE_COAP_HOST: '127.0.0.1', TREELINE_COAPS_HOST: '127.0.0.2,127.0.0.3' };
    expect(() => readConfig({ ...addresses, TREELINE_COAP_PORT: '5684' })).not.toThrow();
    expect(() => readConfig({ TREELINE_COAP_PORT: '0', TREELINE_COAPS_PORT: '0' })).not.toThrow();
  });

  it('accepts a topic as long as Kafka allows', () => {
    const topic = 'a'.repeat(249 - 64);
    const { kafka } = readConfig({ TREELINE_TELEMETRY_TOPIC: `${topic}{tenant_id}` });
    expect(kafka.telemetryTopic).toBe(`${topic}{tenant_id}`);
  });

  it.each([
    ['TREELINE_TELEMETRY_TOPIC', '..'],
    ['TREELINE_STATUS_TOPIC', '.'],
    ['TREELINE_STATUS_TOPIC', 'a'.repeat(250)],
    ['TREELINE_TELEMETRY_TOPIC', `${'a'.repeat(186)}{tenant_id}`],
    ['KAFKA_BROKERS', 'a:99999'],
    ['KAFKA_BROKERS', 'a:9092,b:0'],
    ['TREELINE_HTTP_PORT', 'abc'],
    ['TREELINE_HTTP_PORT', '65536'],
    ['TREELINE_COAP_PORT', '-1'],
    ['TREELINE_COAP_HOST', 'localhost'],
    ['TREELINE_HTTP_HOST', 'a b'],
    ['KAFKA_BROKERS', 'localhost'],
    ['KAFKA_BROKERS', 'a:9092,,b:9092'],
    ['KAFKA_TLS', 'maybe'],
    ['KAFKA_SASL_MECHANISM', 'gssapi'],
    ['KAFKA_SASL_MECHANISM', 'plain'],
    ['TREELINE_AUTO_PROVISION', 'maybe'],
    ['TREELINE_AUTO_PROVISION_PER_NETWORK', '0'],
    ['TREELINE_AUTO_PROVISION_TOTAL', '1e9'],
    ['TREELINE_NOSEC_BOOTSTRAP', 'maybe'],
    ['TREELINE_LOG_LEVEL', 'loud'],
    ['TREELINE_TELEMETRY_FORMAT', 'xml'],
    ['TREELINE_TELEMETRY_TOPIC', 'a b'],
    ['TREELINE_COAPS_HOST', '::, a b'],
    ['TREELINE_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['TREELINE_PUBLIC_URL', 'https://a.example/path'],
    ['TREELINE_PUBLIC_URL', 'api.example.com'],
    ['TREELINE_CORS_HEADERS', 'X-A, X B'],
    ['TREELINE_TRUSTED_PROXIES', 'proxy.example.com'],
    ['TREELINE_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TREELINE_TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['TREELINE_HTTP_KEEP_ALIVE_SECONDS', '0'],
  ])('rejects %s=%s with an error that names both', (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [variable]: value })).toThrow(`${variable}: ${JSON.stringify(value)}`);
  });

  it.each([
    ['DATABASE_URL', 'mysql://root:hunter2@db/x'],
    ['TREELINE_ADMIN_TOKEN', 'hunter2'],
    ['TREELINE_SECRET_KEY', 'hunter2'],
  ])('rejects an invalid %s without printing its value', (variable, value) => {
    let message = '';
    try {
      readConfig({ [variable]: value });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(variable);
    expect(message).not.toContain('hunter2');
  });

  it('requires the DTLS certificate and its key together', () => {
    expect(() => readConfig({ TREELINE_DTLS_CERT: 'cert.pem' })).toThrow('TREELINE_DTLS_KEY');
    const files = { TREELINE_DTLS_CERT: 'cert.pem', TREELINE_DTLS_KEY: 'key.pem' };
    expect(readConfig(files).coaps.identity).toEqual({ certificateFile: 'cert.pem', keyFile: 'key.pem' });
  });

  it('accepts the secret key in base64 and in hex', () => {
    const bytes = Buffer.alloc(32, 7);
    for (const encoding of ['base64', 'hex'] as const) {
      expect(readConfig({ TREELINE_SECRET_KEY: bytes.toString(encoding) }).secretKey).toEqual(bytes);
    }
  });
});
