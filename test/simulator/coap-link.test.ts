import { array, assert, asyncProperty, nat, oneof, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContentFormat, Path } from '../../src/lwm2m/index.ts';
import { clock, device, log, measure, server, start, text } from './device-under-test.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';

/** One block of 16 bytes of a PUT of text to /3303/0/5750. */
function block(messageId: number, token: number, num: number, more: boolean, body: string): Buffer {
  const options = Buffer.from([0xb4, ...Buffer.from('3303'), 0x01, 0x30, 0x04, ...Buffer.from('5750')]);
  const block1 = Buffer.of(0x10, 0xd1, 0x02, num * 16 + (more ? 8 : 0), 0xff);
  return Buffer.concat([Buffer.of(0x41, 0x03, 0, messageId, token), options, block1, Buffer.from(body)]);
}

describe('the message layer', () => {
  it('assembles blocks that each have a different token', async () => {
    await start();
    await server.throwAt(server.devicePort, block(1, 0xaa, 0, true, 'a long name for '));
    await server.throwAt(server.devicePort, block(2, 0xbb, 1, false, 'a room'));
    const answer = await server.ask({ path: '/3303/0/5750', accept: ContentFormat.text });
    expect(answer.payload.toString()).toBe('a long name for a room');
  });

  it('sends the first block of a long notification; the server fetches the others', async () => {
    await start({ objects: [3442] });
    // node-coap does not deliver notifications in blocks, so the test reads the datagram.
    const path = [0xb4, ...Buffer.from('3442'), 0x01, 0x30, 0x03, ...Buffer.from('110')];
    const observe = [0x60, 0x54, ...path.slice(1)];
    const first = server.datagram((bytes) => bytes[1] === 0x45);
    await server.throwAt(server.devicePort, Buffer.from([0x41, 0x01, 0, 9, 0xcc, ...observe]));
    await first;
    const notified = server.datagram((bytes) => bytes[0] === 0x41 && bytes[1] === 0x45);
    device.tree.set(Path.parse('/3442/0/110'), text('x'.repeat(2_500)));
    await clock.advance(0);
    // Block2 (23): NUM 0, M 1, 1024 bytes.
    const wire = await notified;
    expect(wire.subarray(-1_026)).toEqual(Buffer.concat([Buffer.of(0x0e, 0xff), Buffer.alloc(1_024, 'x')]));
    const rest = await server.ask({ path: '/3442/0/110', block2: 1 });
    expect(rest.payload.toString()).toBe('x'.repeat(2_500 - 1_024));
  });

  it('answers a ping with a Reset', async () => {
    await start();
    const pinged = server.datagram((bytes) => bytes.length === 4 && bytes.readUInt16BE(2) === 77);
    await server.throwAt(server.devicePort, Buffer.of(0x40, 0, 0, 77));
    expect((await pinged).toString('hex')).toBe('7000004d');
  });

  it('ends an observation when a notification is reset', async () => {
    await start();
    // GET /3303/0/5700 with Observe 0 and a token unknown to node-coap, which then resets the notifications.
    const path = [0x54, ...Buffer.from('3303'), 0x01, 0x30, 0x04, ...Buffer.from('5700')];
    await server.throwAt(server.devicePort, Buffer.from([0x41, 0x01, 0, 9, 0xcc, 0x60, ...path]));
    await server.ask({ path: '/3/0/9' });
    expect(device.observationCount).toBe(1);
    measure(30);
    await clock.advance(0);
    await server.ask({ path: '/3/0/9' });
    expect(device.observationCount).toBe(0);
  });
});

describe('malformed datagrams', () => {
  it('don’t prevent the response to the next request', async () => {
    await start();
    const request = Buffer.from([0x41, 0x01, 0, 1, 0xaa, 0xb1, 0x33, 0x01, 0x30, 0x01, 0x39, 0x61, 0x6e]);
    // Keeps the code, so that the datagram is not a reboot or a deletion.
    const place = nat(request.length - 1).filter((at) => at !== 1);
    const mutated = array(tuple(place, nat(255)), { maxLength: 4 }).map((changes) =>
      changes.reduce((bytes, [at, value]) => bytes.with(at, value), Uint8Array.from(request)),
    );
    const datagrams = array(oneof(uint8Array({ maxLength: 100 }), mutated), { minLength: 50, maxLength: 100 });
    await assert(
      asyncProperty(datagrams, async (all) => {
        for (const bytes of all) await server.throwAt(server.devicePort, bytes);
        expect((await server.ask({ path: '/3/0/1' })).payload.toString()).toBe('Simulated device');
      }),
      { numRuns: 20 },
    );
  });

  it('that crash node-coap don’t crash the device', async () => {
    await start();
    // A token of 15 bytes in a long message: node-coap's error handling throws.
    await server.throwAt(server.devicePort, Buffer.concat([Buffer.of(0x4f, 0x01, 0, 1), Buffer.alloc(1500, 0xff)]));
    // Block1 with NUM 2^20-1 and 1024 bytes: node-coap would allocate 1 GiB.
    const block1 = [0xd3, 0x0e, 0xff, 0xff, 0xf6, 0xff, 0x01];
    await server.throwAt(server.devicePort, Buffer.from([0x41, 0x03, 0, 2, 0xaa, ...block1]));
    expect((await server.ask({ path: '/3/0/9' })).payload.toString()).toBe('90');
  });

  it('of other senders are ignored', async () => {
    await start();
    const other = await Lwm2mPeer.start();
    const before = log.length;
    await other.throwAt(server.devicePort, Buffer.of(0x40, 0x01, 0, 1, 0xb1, 0x33));
    expect((await server.ask({ path: '/3/0/9' })).code).toBe('2.05');
    await other.stop();
    expect(log.slice(before)).toEqual(['read /3/0/9 → 2.05 text/plain "90"']);
  });
});
