import { generate, type Packet, parse, type ParsedPacket } from 'coap-packet';
import type { SessionPipe } from './session-pipe.ts';

const LINK_FORMAT = 40;
const PLAIN_TEXT = 0;

/**
 * A device with objects 1 and 3 whose messages are coap-packet's and whose session is a peer's: nothing of it is ours but
 * the script. It answers a Read of the texts that it has, and 4.04 to all else.
 */
export class ScriptedDevice {
  readonly #pipe: SessionPipe;
  readonly #texts: Readonly<Record<string, string>>;
  #nextMessageId = 1;
  #registered: (location: string) => void = () => {};
  #failed: (reason: Error) => void = () => {};

  /** `texts` by path: `{ '/3/0/1': 'model 7' }`. */
  constructor(pipe: SessionPipe, texts: Readonly<Record<string, string>>) {
    this.#pipe = pipe;
    this.#texts = texts;
    pipe.onRecord((record) => this.#hear(record));
    void pipe.ended.then((last) => this.#failed(new Error(last)));
  }

  /** Registers, once the peer has opened the session; resolves with the location. */
  register(endpoint: string): Promise<string> {
    const location = new Promise<string>((resolve, reject) => {
      this.#registered = resolve;
      this.#failed = reject;
    });
    this.#send({
      code: 'POST',
      confirmable: true,
      messageId: this.#nextMessageId++,
      token: Buffer.from('register'),
      options: [
        { name: 'Uri-Path', value: Buffer.from('rd') },
        { name: 'Content-Format', value: Buffer.of(LINK_FORMAT) },
        ...[`ep=${endpoint}`, 'lt=300', 'lwm2m=1.1', 'b=U'].map((query) => ({
          name: 'Uri-Query' as const,
          value: Buffer.from(query),
        })),
      ],
      payload: Buffer.from('</1/0>,</3/0>'),
    });
    return location;
  }

  kill(): Promise<void> {
    return this.#pipe.kill();
  }

  #send(packet: Packet): void {
    this.#pipe.send(generate(packet));
  }

  #hear(record: Buffer): void {
    const message = parsed(record);
    if (message === null || message.reset || message.code === '0.00') return;
    if (message.code.startsWith('0.')) this.#answer(message);
    else this.#conclude(message);
  }

  #answer({ code, messageId, token, options, confirmable }: ParsedPacket): void {
    const text = code === '0.01' ? this.#texts[pathOf(options, 'Uri-Path')] : undefined;
    const answer = { messageId, token, ack: confirmable };
    if (text === undefined) this.#send({ ...answer, code: '4.04' });
    else {
      const format = { name: 'Content-Format' as const, value: Buffer.of(PLAIN_TEXT) };
      this.#send({ ...answer, code: '2.05', options: [format], payload: Buffer.from(text) });
    }
  }

  /** The answer to Register, in the acknowledgement or in a message of its own. */
  #conclude({ code, confirmable, messageId, options }: ParsedPacket): void {
    if (confirmable) this.#send({ code: '0.00', ack: true, messageId });
    if (code === '2.01') this.#registered(pathOf(options, 'Location-Path'));
    else this.#failed(new Error(`Register was answered ${code}`));
  }
}

/** Null for what is no message, such as two that were heard as one: CoAP sends them again. */
function parsed(record: Buffer): ParsedPacket | null {
  try {
    return parse(record);
  } catch {
    return null;
  }
}

function pathOf(options: ParsedPacket['options'], name: 'Uri-Path' | 'Location-Path'): string {
  return options
    .filter((option) => option.name === name)
    .map(({ value }) => `/${value.toString()}`)
    .join('');
}
