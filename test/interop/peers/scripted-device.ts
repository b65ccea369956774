import { generate, type Packet, parse, type ParsedPacket } from 'coap-packet';
import type { SessionPipe } from './session-pipe.ts';

const LINK_FORMAT = 40;
const PLAIN_TEXT = 0;
const SENML_JSON = 110;

/**
 * A device with objects 1 and 3 whose messages are coap-packet's and whose session is a peer's: nothing of it is ours but
 * the script. It answers a Read or an Observe of the texts that it has, and 4.04 to all else.
 */
export class ScriptedDevice {
  #pipe: SessionPipe;
  readonly #texts: Readonly<Record<string, string>>;
  /** The tokens of the observations, by path. */
  readonly #observed = new Map<string, Buffer>();
  #nextMessageId = 1;
  #notifications = 1;
  #sent: (code: string) => void = () => {};
  #registered: (location: string) => void = () => {};
  #failed: (reason: Error) => void = () => {};

  /** `texts` by path: `{ '/3/0/1': 'model 7' }`. */
  constructor(pipe: SessionPipe, texts: Readonly<Record<string, string>>) {
    this.#pipe = pipe;
    this.#texts = texts;
    this.continueOver(pipe);
  }

  /** From now on the device uses this session. It tells the server nothing. */
  continueOver(pipe: SessionPipe): void {
    this.#pipe = pipe;
    pipe.onRecord((record) => this.#hear(record));
    void pipe.ended.then((last) => this.#failed(new Error(last)));
  }

  isObserved(path: string): boolean {
    return this.#observed.has(path);
  }

  /** Notifies the server of a text, as one that it observes. */
  notify(path: string, text: string): void {
    const token = this.#observed.get(path);
    if (!token) throw new Error(`${path} is not observed`);
    this.#send({
      code: '2.05',
      confirmable: true,
      messageId: this.#nextMessageId++,
      token,
      options: [
        { name: 'Observe', value: Buffer.of(++this.#notifications) },
        { name: 'Content-Format', value: Buffer.of(PLAIN_TEXT) },
      ],
      payload: Buffer.from(text),
    });
  }

  /** LwM2M Send; resolves with the code of the response. */
  sendReadings(senml: object): Promise<string> {
    const code = new Promise<string>((resolve, reject) => {
      this.#sent = resolve;
      this.#failed = reject;
    });
    this.#send({
      code: 'POST',
      confirmable: true,
      messageId: this.#nextMessageId++,
      token: Buffer.from('send'),
      options: [
        { name: 'Uri-Path', value: Buffer.from('dp') },
        { name: 'Content-Format', value: Buffer.of(SENML_JSON) },
      ],
      payload: Buffer.from(JSON.stringify(senml)),
    });
    return code;
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
    const path = pathOf(options, 'Uri-Path');
    const text = code === '0.01' ? this.#texts[path] : undefined;
    const observes = options.some(({ name, value }) => name === 'Observe' && value.length === 0);
    const answer = { messageId, token, ack: confirmable };
    if (text === undefined) this.#send({ ...answer, code: '4.04' });
    else {
      const format = { name: 'Content-Format' as const, value: Buffer.of(PLAIN_TEXT) };
      const observe = { name: 'Observe' as const, value: Buffer.of(this.#notifications) };
      if (observes) this.#observed.set(path, Buffer.from(token));
      const all = observes ? [observe, format] : [format];
      this.#send({ ...answer, code: '2.05', options: all, payload: Buffer.from(text) });
    }
  }

  /** The answer to Register or Send, in the acknowledgement or in a message of its own. */
  #conclude({ code, confirmable, messageId, options, token }: ParsedPacket): void {
    if (confirmable) this.#send({ code: '0.00', ack: true, messageId });
    if (token.toString() === 'send') return this.#sent(code);
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
