import { beforeEach, describe, expect, it } from 'vitest';

import { encodeAlert } from '../../src/dtls/alert.ts';
import { encodeMessage, HANDSHAKE } from '../../src/dtls/messages.ts';
import { CONTENT, encodeRecord } from '../../src/dtls/record.ts';
import { World } from './network.ts';

let world: World;

beforeEach(() => {
  world = new World();
});

describe('an open session', () => {
  it('refuses a replayed record', async () => {
    const client = await world.connected();
    const record = client.seal(Buffer.from('once'));
    world.carry(world.addressOf(client), record);
    world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['once']);
    expect(world.engine.metrics.dropped).toEqual({ replayed: 1 });
  });

  it('accepts records out of order', async () => {
    const client = await world.connected();
    const records = ['a', 'b', 'c'].map((text) => client.seal(Buffer.from(text)));
    for (const record of records.reverse()) world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['c', 'b', 'a']);
  });

  it('accepts several records in one datagram', async () => {
    const client = await world.connected();
    const records = ['a', 'b'].map((text) => client.seal(Buffer.from(text)));
    world.carry(world.addressOf(client), Buffer.concat(records));
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['a', 'b']);
  });

  it('refuses forged and truncated records, stays open, and raises an alarm at many', async () => {
    const client = await world.connected();
    const address = world.addressOf(client);
    const record = client.seal(Buffer.from('genuine'));
    world.carry(address, record.subarray(0, -1));
    for (let n = 0; n < 200; n++) {
      const forged = Buffer.from(record);
      forged.writeUInt8(n, 12 + 8);
      world.carry(address, Buffer.concat([forged.subarray(0, -1), Buffer.from([(record.at(-1) ?? 0) ^ 1])]));
    }
    await world.clock.advance(1);
    expect(world.engine.metrics.dropped).toEqual({ malformed: 1, forged: 200 });
    expect(world.alarms).toEqual([128]);
    world.carry(address, record);
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['genuine']);
  });

  it('refuses records of epoch 0: data, alerts and handshake messages', async () => {
    const client = await world.connected();
    for (const [type, body] of [
      [CONTENT.applicationData, Buffer.from('plain')],
      [CONTENT.alert, encodeAlert('fatal', 'internal_error')],
      [CONTENT.alert, encodeAlert('warning', 'close_notify')],
      [CONTENT.handshake, encodeMessage(HANDSHAKE.finished, 3, Buffer.alloc(12))],
    ] as const) {
      world.carry(world.addressOf(client), encodeRecord({ type, epoch: 0, sequence: 90, cid: null }, body));
    }
    await world.say(client, 'still here');
    expect(world.heard()).toEqual(['still here']);
    expect(world.engine.metrics.dropped).toEqual({ out_of_place: 4 });
  });

  it('refuses oversized records: a plaintext above 2^14 bytes, and a fragment above the longest ciphertext', async () => {
    const client = await world.connected();
    client.send(Buffer.alloc(2 ** 14 + 1));
    const header = { type: CONTENT.applicationData, epoch: 1, sequence: 90, cid: null };
    world.carry(world.addressOf(client), encodeRecord(header, Buffer.alloc(2 ** 14 + 2_049)));
    client.send(Buffer.alloc(2 ** 14));
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['\0'.repeat(2 ** 14)]);
    expect(world.engine.metrics.dropped).toEqual({ malformed: 2 });
  });

  it('drops records of other epochs', async () => {
    const client = await world.connected();
    const record = client.seal(Buffer.from('x'));
    record.writeUInt16BE(2, 3);
    world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(world.engine.metrics.dropped).toEqual({ wrong_epoch: 1 });
  });

  it('refuses renegotiation with a warning and stays open', async () => {
    const client = await world.connected();
    const hello = encodeMessage(HANDSHAKE.clientHello, 4, Buffer.alloc(40));
    client.send(hello, CONTENT.handshake);
    await world.say(client, 'still here');
    expect(client.alerts).toEqual(['no_renegotiation']);
    expect(world.heard()).toEqual(['still here']);
  });

  it('ends with a close_notify of the device or the server', async () => {
    const client = await world.connected();
    client.close();
    await world.clock.advance(1);
    expect(world.ended).toMatchObject([{ reason: 'closed' }]);
    const other = await world.connected();
    world.engine.shutDown();
    await world.clock.advance(1);
    expect(other.alerts).toEqual(['close_notify']);
    expect(world.engine.metrics.sessions).toBe(0);
  });

  it('ends with a fatal alert and can not be resumed afterwards', async () => {
    const client = await world.connected();
    client.send(encodeAlert('fatal', 'internal_error'), CONTENT.alert);
    await world.clock.advance(1);
    expect(world.ended).toMatchObject([{ reason: 'alert' }]);
    expect(world.engine.metrics).toMatchObject({ resumable: 0, alertsReceived: { internal_error: 1 } });
  });

  it('stays open during another handshake from its address, and is replaced only when that handshake succeeds', async () => {
    const address = world.address();
    const device = await world.connected({}, address);
    const stranger = await world.connected({ psk: { identity: 'nobody', key: Buffer.alloc(16) } }, address);
    expect(stranger.state).toBe('shaking hands');
    world.carry(address, device.seal(Buffer.from('still here')));
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['still here']);
    const again = await world.connected({}, address);
    expect(again.state).toBe('open');
    expect(world.ended).toMatchObject([{ reason: 'replaced' }]);
    expect(world.engine.metrics.sessions).toBe(1);
  });

  it('is not restarted by a late copy of its ClientHello', async () => {
    const client = await world.connected();
    const hellos = world.sent.filter(({ toServer, datagram }) => toServer && datagram[13] === HANDSHAKE.clientHello);
    world.carry(world.addressOf(client), hellos.at(-1)?.datagram ?? Buffer.alloc(0));
    await world.clock.advance(1);
    expect(world.engine.metrics).toMatchObject({ halfOpen: 0, dropped: { replayed: 1 } });
  });
});

describe('a record of an unknown session', () => {
  it('gets a fatal alert, at a limited rate and never longer than the record', async () => {
    const client = await world.connected();
    const gone = Array.from({ length: 200 }, () => client.seal(Buffer.from('anyone there?')));
    world = new World();
    const address = world.address();
    for (const record of gone) world.carry(address, record);
    await world.clock.advance(1);
    const answers = world.sent.filter(({ toServer }) => !toServer);
    expect(answers).toHaveLength(50);
    expect(answers[0]?.datagram.subarray(13)).toEqual(encodeAlert('fatal', 'bad_record_mac'));
    expect(answers[0]?.datagram.length).toBeLessThan(gone[0]?.length ?? 0);
    await world.clock.advance(1_000);
    world.carry(address, gone[0] ?? Buffer.alloc(0));
    await world.clock.advance(1);
    expect(world.sent.filter(({ toServer }) => !toServer)).toHaveLength(51);
  });
});
