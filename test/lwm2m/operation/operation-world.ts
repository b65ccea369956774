import { codes } from '../../../src/coap/index.ts';
import { encode, Path, type TypedValue } from '../../../src/lwm2m/index.ts';
import { DEV1, world, type World } from '../lwm2m-world.ts';
import type { AskedOfDevice, DeviceAnswer } from '../scripted-device.ts';

export const path = (text: string): Path => Path.parse(text);
export const integer = (value: number): TypedValue => ({ type: 'Integer', value });
export const string = (value: string): TypedValue => ({ type: 'String', value });
export const opaque = (...bytes: number[]): TypedValue => ({ type: 'Opaque', value: Uint8Array.from(bytes) });
export const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** A world with a registered device that answers with `answer`. */
export async function registered(
  answer: (asked: AskedOfDevice) => DeviceAnswer | null,
  query: readonly string[] = DEV1,
  links = '</1/0>,</3/0>',
): Promise<World> {
  const made = await world();
  await made.device.register(query, links);
  made.device.onAsked = answer;
  return made;
}

export const V10 = ['ep=dev1', 'lwm2m=1.0'];
export const V12 = ['ep=dev1', 'lt=300', 'lwm2m=1.2'];

export function content(at: string, contentFormat: number, ...values: (readonly [string, TypedValue])[]): DeviceAnswer {
  const placed = values.map(([place, value]) => ({ path: path(place), value }));
  const payload = encode({ contentFormat, path: path(at), values: placed });
  return { code: codes.content, contentFormat, payload };
}

export function changed(): DeviceAnswer {
  return { code: codes.changed };
}
