import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

describe('readConfig', () => {
  it('needs nothing: an embedded database, loopback, devices provisioned on sight', () => {
    expect(readConfig({})).toMatchObject({
      database: { kind: 'embedded', directory: './.treeline' },
      kafka: { brokers: [], telemetryTopic: 'telemetry.raw.{tenant_id}', statusTopic: 'device.status' },
      http: { host: '127.0.0.1', port: 4000 },
      coap: { host: '127.0.0.1', port: 5683 },
      adminToken: null,
      autoProvision: true,
    });
  });

  it('provisions nothing on sight with DATABASE_URL, unless told to', () => {
    const url = 'postgres://treeline:secret@db:5432/treeline';
    expect(readConfig({ DATABASE_URL: url })).toMatchObject({
      database: { kind: 'postgres', url },
      autoProvision: false,
    });
    expect(readConfig({ DATABASE_URL: url, TREELINE_AUTO_PROVISION: 'true' }).autoProvision).toBe(true);
  });

  it('takes an empty variable as absent', () => {
    expect(readConfig({ DATABASE_URL: '', KAFKA_BROKERS: ' ' })).toMatchObject({
      database: { kind: 'embedded' },
      kafka: { brokers: [] },
    });
  });

  it.each([
    ['TREELINE_HTTP_PORT', 'abc'],
    ['TREELINE_HTTP_PORT', '65536'],
    ['TREELINE_COAP_PORT', '-1'],
    ['TREELINE_COAP_HOST', 'a b'],
    ['KAFKA_BROKERS', 'localhost'],
    ['KAFKA_BROKERS', 'a:9092,,b:9092'],
    ['TREELINE_AUTO_PROVISION', 'maybe'],
    ['TREELINE_LOG_LEVEL', 'loud'],
    ['TREELINE_TELEMETRY_FORMAT', 'xml'],
    ['TREELINE_TELEMETRY_TOPIC', 'a b'],
    ['TREELINE_ALLOWED_ORIGINS', 'https://a.example/path'],
  ])('refuses %s=%s, naming both', (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [variable]: value })).toThrow(`${variable}: ${JSON.stringify(value)}`);
  });

  it('never shows a secret', () => {
    for (const [variable, value] of [
      ['DATABASE_URL', 'mysql://root:hunter2@db/x'],
      ['TREELINE_ADMIN_TOKEN', 'hunter2'],
    ] as const) {
      expect(() => readConfig({ [variable]: value })).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
      );
    }
  });
});
