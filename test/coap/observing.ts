import { blockOption } from '../../src/coap/block.ts';
import { codes, type CoapEndpointOptions, type NotificationHandler, type ObserveResult } from '../../src/coap/index.ts';
import type { Message, MessageOption } from '../../src/coap/message.ts';
import { optionNumbers, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { text } from './reading.ts';

export const SERVER = '192.0.2.1';
export const DEVICE = '192.0.2.2';
export const MOVED = '192.0.2.3';
export const { block2 } = optionNumbers;

export const observe = (sequence: number): MessageOption => uintOption(optionNumbers.observe, sequence);
export const etag = (byte: number): MessageOption => ({ number: optionNumbers.etag, value: Uint8Array.of(byte) });

/** The options of a notification with the first of three blocks. */
export const first = (sequence: number, version = 1): MessageOption[] => [
  observe(sequence),
  etag(version),
  blockOption(block2, { number: 0, more: true, size: 16 }),
];

export const at = (sequence: number, time = 0) => ({ sequence, at: time });

export const stored = async (): Promise<void> => {};

/** An observation of a device whose messages the test sends; the device has answered with `sequence` 10. */
export async function observing(options: Partial<CoapEndpointOptions> = {}) {
  const errors: unknown[] = [];
  const network = new SimulatedNetwork();
  const { clock } = network;
  const endpoint = network.endpoint(SERVER, { onHandlerError: (error) => errors.push(error), ...options });
  const device = new ScriptedPeer(network, DEVICE, SERVER);
  const heard: string[] = [];
  let store: () => Promise<void> = stored;
  const onNotification: NotificationHandler = async ({ payload, final, code, olderThan }) => {
    heard.push(`${text(payload)}${final ? ` final ${code}` : ''}${olderThan === null ? '' : ` before ${olderThan}`}`);
    await store();
  };
  let result: ObserveResult | undefined;
  void endpoint
    .observe(device.peer, { method: 'GET', path: ['3303', '0', '5700'], accept: 112 }, onNotification)
    .then((value) => (result = value));
  await clock.advance(2);
  const [request] = device.received;
  if (!request) throw new Error('nothing was sent');
  device.piggyback(request, { code: codes.content, options: [observe(10)], payload: Buffer.from('first') });
  await clock.advance(2);
  const observation = result?.observation;
  if (!observation) throw new Error('nothing is observed');
  device.received.length = 0;
  let messageId = 100;
  const notify = (
    type: 'CON' | 'NON',
    payload: string,
    options: MessageOption[],
    more: Partial<Message> = {},
  ): number => {
    messageId++;
    const { token } = observation;
    device.send({ type, code: codes.content, messageId, token, options, payload: Buffer.from(payload), ...more });
    return messageId;
  };
  const setStore = (next: () => Promise<void>): void => {
    store = next;
  };
  const metrics = () => endpoint.metrics();
  return { network, clock, endpoint, device, request, result, observation, heard, errors, notify, setStore, metrics };
}
