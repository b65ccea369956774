import { address, boolean, integer, type Check } from './checks.ts';
import { settings, type Setting } from './settings.ts';

/** One invalid setting: `TREELINE_HTTP_PORT: "abc" is invalid; it must be a port number from 0 to 65535`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads settings from the environment. All methods but `read` throw ConfigError for an invalid value. */
export class SettingReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** The variable’s trimmed text, or the default; an empty text counts as absent. */
  read(setting: Setting): string | null {
    return this.#environment[setting.variable]?.trim() || setting.fallback;
  }

  /** Each setting that has a value, by its variable; secrets are "(set)". */
  inForce(): Record<string, string> {
    const values = Object.values<Setting>(settings).flatMap((setting) => {
      const text = this.read(setting);
      return text ? [[setting.variable, setting.secret ? '(set)' : text] as const] : [];
    });
    return Object.fromEntries(values);
  }

  /** `wanted` completes the error `…; it must be …`. */
  parse<T>(setting: Setting, check: Check<T>, wanted: string): T {
    const text = this.read(setting) ?? '';
    const value = check(text);
    if (value !== undefined) return value;
    throw new ConfigError(
      `${setting.variable}: ${setting.secret ? 'the value' : JSON.stringify(text)} is invalid; it must be ${wanted}`,
    );
  }

  /** Null when the setting is absent and has no default. */
  optional<T>(setting: Setting, check: Check<T>, wanted: string): T | null {
    return this.read(setting) === null ? null : this.parse(setting, check, wanted);
  }

  port(setting: Setting): number {
    return this.parse(setting, integer(0, 65_535), 'a port number from 0 to 65535');
  }

  host(setting: Setting): string {
    return this.parse(setting, address, 'a host name or an IP address');
  }

  /** `otherwise`: the value when the setting is absent and has no default. */
  flag(setting: Setting, otherwise = false): boolean {
    return this.optional(setting, boolean, 'true or false') ?? otherwise;
  }

  /** The files of a certificate and its key; null when both settings are absent. */
  certificate(
    certificate: Setting,
    key: Setting,
  ): { readonly certificateFile: string; readonly keyFile: string } | null {
    const [certificateFile, keyFile] = [this.read(certificate), this.read(key)];
    if (certificateFile !== null && keyFile !== null) return { certificateFile, keyFile };
    if (certificateFile === null && keyFile === null) return null;
    const missing = certificateFile === null ? certificate : key;
    throw new ConfigError(
      `${missing.variable} is missing; set both ${certificate.variable} and ${key.variable}, or neither`,
    );
  }
}
