import { TOPIC_RULE, brokers, oneOf, topic } from './checks.ts';
import { ConfigError, type SettingReader } from './reader.ts';
import { SASL_MECHANISMS, settings, type SaslMechanism, type Setting } from './settings.ts';

/** The settings of the brokers. */
export interface KafkaConfig {
  /** `host:port` each; none: telemetry is not published. */
  readonly brokers: readonly string[];
  readonly telemetryTopic: string;
  readonly statusTopic: string;
  readonly format: 'json' | 'protobuf';
  /** Null: no TLS. `authoritiesFile`: PEM; null: Node’s built-in certificate authorities. */
  readonly tls: { readonly authoritiesFile: string | null } | null;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  } | null;
}

export function readKafka(reader: SettingReader): KafkaConfig {
  const tls = readTls(reader);
  return {
    brokers:
      reader.optional(settings.kafkaBrokers, brokers, 'a list like host:9092,host:9092, with ports from 1 to 65535') ??
      [],
    telemetryTopic: reader.parse(settings.telemetryTopic, topic, TOPIC_RULE),
    statusTopic: reader.parse(settings.statusTopic, topic, TOPIC_RULE),
    format: reader.parse(settings.telemetryFormat, oneOf(['json', 'protobuf'] as const), 'json or protobuf'),
    tls,
    sasl: readSasl(reader, tls !== null),
  };
}

function readTls(reader: SettingReader): KafkaConfig['tls'] {
  const { kafkaTls, kafkaAuthorities } = settings;
  const authoritiesFile = reader.read(kafkaAuthorities);
  if (reader.flag(kafkaTls)) return { authoritiesFile };
  if (authoritiesFile !== null) {
    throw new ConfigError(`${kafkaAuthorities.variable} requires ${kafkaTls.variable}=true; set it, or remove both`);
  }
  return null;
}

function readSasl(reader: SettingReader, overTls: boolean): KafkaConfig['sasl'] {
  const { kafkaMechanism, kafkaUsername, kafkaPassword, kafkaTls } = settings;
  const choices = `one of ${SASL_MECHANISMS.join(', ')}`;
  const mechanism = reader.optional(kafkaMechanism, oneOf(SASL_MECHANISMS), choices);
  const account = [kafkaUsername, kafkaPassword];
  if (mechanism === null) {
    const useless = account.find((setting) => reader.read(setting) !== null);
    if (useless === undefined) return null;
    throw new ConfigError(`${useless.variable} requires ${kafkaMechanism.variable}, ${choices}`);
  }
  if (mechanism === 'plain' && !overTls) {
    throw new ConfigError(
      `${kafkaMechanism.variable}: "plain" sends the password unencrypted; set ${kafkaTls.variable}=true`,
    );
  }
  const required = (setting: Setting): string => {
    const text = reader.read(setting);
    if (text !== null) return text;
    throw new ConfigError(`${setting.variable} is missing; ${kafkaMechanism.variable} requires it`);
  };
  return { mechanism, username: required(kafkaUsername), password: required(kafkaPassword) };
}
