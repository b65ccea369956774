import { ContentFormat, encode, Path } from '../lwm2m/index.ts';
import type { TimedValue } from '../lwm2m/index.ts';
import type { UplinkAnswer, UplinkRequest } from './coap-link.ts';
import type { DeviceContents } from './device-state.ts';
import { SERVER } from './objects.ts';

/** The most measurements kept for the next Send; the oldest are dropped. */
const MAX_HISTORY = 1_000;

export interface SendingOptions {
  readonly contents: DeviceContents;
  /** The Server instance with the Mute Send resource. */
  readonly server: Path;
  readonly ask: (request: UplinkRequest) => Promise<UplinkAnswer | null>;
  readonly log: (line: string) => void;
}

/** The Send operation (Core 1.2 §6.4.5) for one server. */
export class Sending {
  readonly #options: SendingOptions;
  readonly #history: TimedValue[] = [];

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** Sends the values. Resolves with the response code; null without a response, without values, or while muted. */
  async send(values: readonly TimedValue[], contentFormat: number): Promise<string | null> {
    const { contents, server, ask, log } = this.#options;
    const mute = contents.tree.value(server.child(SERVER.muteSend));
    if (values.length === 0 || (mute?.type === 'Boolean' && mute.value)) return null;
    const payload = encode({ contentFormat, path: Path.root, values });
    const answer = await ask({ method: 'POST', path: ['dp'], contentFormat, payload });
    log(`send ${values.length} values → ${answer?.code ?? 'no answer'}`);
    return answer?.code ?? null;
  }

  /** Keeps measured values for the next Send. */
  remember(values: readonly TimedValue[]): void {
    this.#history.push(...values);
    this.#history.splice(0, Math.max(0, this.#history.length - MAX_HISTORY));
  }

  /** Sends the values kept since the last time, each with its time; keeps them without a response. */
  async sendHistory(): Promise<void> {
    const sent = this.#history.splice(0);
    const code = await this.send(sent, ContentFormat.senmlCbor);
    if (code === null) this.#history.unshift(...sent);
  }
}
