import { codes } from '../../src/coap/index.ts';
import {
  ContentFormat,
  createBootstrapServer,
  Path,
  type BootstrapAdmission,
  type BootstrapConfiguration,
  type BootstrapHandlers,
  type BootstrapOutcome,
  type BootstrapRequest,
  type BootstrapServer,
  type BootstrapStep,
  type PathValue,
} from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { ScriptedDevice, SERVER, type AskedOfDevice, type DeviceAnswer } from './scripted-device.ts';

export const values: readonly PathValue[] = [
  { path: Path.of(1, 0, 0), value: { type: 'Integer', value: 1 } },
  { path: Path.of(1, 0, 1), value: { type: 'Integer', value: 300 } },
  { path: Path.of(0, 0, 0), value: { type: 'String', value: 'coaps://lwm2m.example.com:5684' } },
  { path: Path.of(0, 0, 10), value: { type: 'Integer', value: 1 } },
];
export const CONFIGURATION: BootstrapConfiguration = {
  deletes: [Path.of(0), Path.of(1)],
  values,
  reads: [Path.of(1), Path.of(2)],
};
export const STEPS = ['GET /', 'DELETE /0', 'DELETE /1', 'PUT /0/1', 'PUT /1/0', 'GET /1', 'GET /2', 'POST /bs'];

export class RecordingBootstrapHandlers implements BootstrapHandlers {
  readonly requests: BootstrapRequest[] = [];
  readonly steps: (BootstrapStep & { readonly bootstrap: string })[] = [];
  readonly outcomes: [bootstrap: string, outcome: BootstrapOutcome][] = [];
  configuration = CONFIGURATION;
  refusal: Extract<BootstrapAdmission, { admitted: false }> | null = null;

  async admit(request: BootstrapRequest): Promise<BootstrapAdmission> {
    this.requests.push(request);
    if (this.refusal) return this.refusal;
    const { configuration } = this;
    return {
      admitted: true,
      bootstrapId: `b${this.requests.length}`,
      deviceKey: request.endpoint ?? '',
      configuration,
    };
  }

  async stepped(bootstrap: string, step: BootstrapStep): Promise<void> {
    this.steps.push({ ...step, bootstrap });
  }

  async ended(bootstrap: string, outcome: BootstrapOutcome): Promise<void> {
    this.outcomes.push([bootstrap, outcome]);
  }

  /** The outcomes of the bootstraps, in the order of their ends. */
  get endings(): string[] {
    return this.outcomes.map(([name, end]) => `${name} ${end.finished ? 'finished' : end.reason}`);
  }
}

export interface World {
  readonly network: SimulatedNetwork;
  readonly handlers: RecordingBootstrapHandlers;
  readonly server: BootstrapServer;
  readonly device: ScriptedDevice;
  readonly lines: () => string[];
}

export function world(answers: (asked: AskedOfDevice) => DeviceAnswer | null = answerAll): World {
  const network = new SimulatedNetwork();
  const handlers = new RecordingBootstrapHandlers();
  const server = createBootstrapServer({
    endpoints: [network.endpoint(SERVER)],
    handlers,
    clock: network.clock,
    onFault,
  });
  const device = new ScriptedDevice(network);
  device.onAsked = answers;
  return { network, handlers, server, device, lines: () => device.asked.map(({ line }) => line) };
}

/** The answers of a device that accepts every request; its bootstrap account is /0/0. */
export function answerAll({ line }: AskedOfDevice): DeviceAnswer {
  if (line === 'GET /') return links('</>;lwm2m=1.1,</0/0>,</0/1>;ssid=7,</1/0>;ssid=7,</3/0>');
  if (line.startsWith('GET')) return { code: codes.content, contentFormat: ContentFormat.tlv };
  return { code: line.startsWith('DELETE') ? codes.deleted : codes.changed };
}

/** Answers like answerAll, except for one request. */
export function except(wanted: string, answer: DeviceAnswer | null) {
  return (asked: AskedOfDevice): DeviceAnswer | null => (asked.line === wanted ? answer : answerAll(asked));
}

/** Answers like answerAll, except that it answers or resets Discover. */
export function toDiscover(device: ScriptedDevice, answer: DeviceAnswer | 'reset' | null) {
  return (asked: AskedOfDevice): DeviceAnswer | null => {
    if (asked.line !== 'GET /') return answerAll(asked);
    if (answer !== 'reset') return answer;
    device.reset(asked.message.messageId);
    return null;
  };
}

export function links(payload: string): DeviceAnswer {
  return { code: codes.content, contentFormat: ContentFormat.linkFormat, payload };
}

export function onFault(error: unknown): never {
  throw error;
}
