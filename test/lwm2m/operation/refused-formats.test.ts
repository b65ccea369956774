import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { ContentFormat } from '../../../src/lwm2m/index.ts';
import { DEV1, type World } from '../lwm2m-world.ts';
import type { AskedOfDevice, DeviceAnswer } from '../scripted-device.ts';
import { content, integer, path, registered } from './operation-world.ts';

const { text, tlv, cbor, senmlJson, senmlCbor } = ContentFormat;

/** Answers reads in these formats only, and writes in any. */
function speaks(formats: readonly (number | null)[]): (asked: AskedOfDevice) => DeviceAnswer {
  return ({ accept }) =>
    formats.includes(accept)
      ? { code: codes.content, contentFormat: text, payload: '42' }
      : { code: codes.notAcceptable };
}

/** The Accept options of the requests that a Read causes. */
async function readOf({ device, perform }: World, place: string, contentFormat?: number): Promise<(number | null)[]> {
  const before = device.asked.length;
  const chosen = contentFormat === undefined ? {} : { contentFormat };
  await perform({ kind: 'read', path: path(place), ...chosen }, { ms: 60 });
  return device.asked.slice(before).map(({ accept }) => accept);
}

describe('a format that the device refused', () => {
  it('is not tried again for other resources of its registration', async () => {
    const world = await registered(speaks([text]));
    expect(await readOf(world, '/3/0/9')).toEqual([tlv, senmlCbor, senmlJson, text]);
    expect(await readOf(world, '/3/0/13')).toEqual([text]);
    expect(await readOf(world, '/3/0/9')).toEqual([text]);
  });

  it('is not tried for an observation either', async () => {
    const world = await registered(speaks([text]));
    await readOf(world, '/3/0/9');
    const before = world.device.asked.length;
    await world.perform({ kind: 'observe', paths: [path('/3/0/13')] }, { ms: 60 });
    expect(world.device.asked.slice(before).map(({ accept, observe }) => [accept, observe])).toEqual([[text, 0]]);
  });

  it('is tried last when the device refuses all others', async () => {
    const world = await registered(speaks([text]));
    await readOf(world, '/3/0/9');
    world.device.onAsked = speaks([senmlCbor]);
    expect(await readOf(world, '/3/0/13')).toEqual([text, null, tlv, senmlCbor]);
    expect(await readOf(world, '/3/0/9')).toEqual([senmlCbor]);
  });

  it('is tried again after a new Register, and not after an Update', async () => {
    const world = await registered(speaks([text]));
    await readOf(world, '/3/0/9');
    await world.device.update();
    expect(await readOf(world, '/3/0/9')).toEqual([text]);
    await world.device.register(DEV1, '</1/0>,</3/0>');
    expect(await readOf(world, '/3/0/9')).toEqual([tlv, senmlCbor, senmlJson, text]);
  });

  it('for a resource is still tried for an instance', async () => {
    const world = await registered(speaks([text]));
    await readOf(world, '/3/0/9');
    world.device.onAsked = () => content('/3/0', tlv, ['/3/0/9', integer(95)]);
    expect(await readOf(world, '/3/0')).toEqual([tlv]);
  });

  it('in a Write is not tried again for other Writes, and is for Reads', async () => {
    const world = await registered(({ contentFormat }) => ({
      code: contentFormat === senmlCbor ? codes.changed : codes.unsupportedContentFormat,
    }));
    const write = async (place: string): Promise<(number | null)[]> => {
      const before = world.device.asked.length;
      const values = [{ path: path(place), value: integer(60) }];
      await world.perform({ kind: 'write', path: path(place), mode: 'replace', values }, { ms: 60 });
      return world.device.asked.slice(before).map(({ contentFormat }) => contentFormat);
    };
    expect(await write('/1/0/1')).toEqual([text, tlv, senmlCbor]);
    expect(await write('/1/0/2')).toEqual([senmlCbor]);
    world.device.onAsked = speaks([tlv, text]);
    expect(await readOf(world, '/3/0/9')).toEqual([tlv]);
  });

  it('is sent when the caller names it', async () => {
    const world = await registered(speaks([text]));
    await readOf(world, '/3/0/9');
    expect(await readOf(world, '/3/0/13', senmlJson)).toEqual([senmlJson]);
  });
});

describe('the formats that a device announces', () => {
  it.each([
    ['</>;ct=0', [text, tlv, senmlCbor, senmlJson]],
    ['</>;ct=60', [cbor, tlv, senmlCbor, senmlJson, text]],
    ['</>;ct="0 60 110"', [senmlJson, cbor, text, tlv, senmlCbor]],
    ['</>;ct=42', [tlv, senmlCbor, senmlJson, text]],
  ])('%s are tried first', async (root, accepts) => {
    const world = await registered(speaks([null]), DEV1, `${root},</1/0>,</3/0>`);
    expect(await readOf(world, '/3/0/9')).toEqual([...accepts, null]);
  });
});
