import { describe, expect, it } from 'vitest';
import { encodeExtension, EXTENSION } from '../../src/dtls/extensions.ts';
import { packFlight } from '../../src/dtls/flight.ts';
import { encodeMessage, HANDSHAKE, parseFragments } from '../../src/dtls/messages.ts';
import { World } from './network.ts';

const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');
const asking = (code: number) => ({
  extraExtensions: encodeExtension(EXTENSION.maxFragmentLength, Buffer.of(code)),
});

describe('a maximum fragment length (RFC 6066 §4)', () => {
  it.each([
    ['without a Connection ID', {}, 512],
    ['with a Connection ID, whose records contain their type', { cid: CID }, 511],
  ])('limits the messages to the device %s, also after a resumption', async (_what, options, longest) => {
    const world = new World();
    const first = await world.connected({ ...options, ...asking(1) });
    for (const resume of [first.session, null]) {
      // RFC 6066 §4: the length holds for resumptions, whether the device repeats the extension or not.
      const client = resume
        ? await world.connected({ ...options, resume })
        : await world.connected({ ...options, ...asking(1), resume: first.session });
      expect(client.isResumed).toBe(true);
      const [session] = world.engine.sessions.all();
      if (!session) throw new Error('no session');
      expect(session.longestMessage).toBe(longest);
      world.engine.send(session.key, Buffer.alloc(longest + 1));
      world.engine.send(session.key, Buffer.alloc(longest));
      await world.clock.advance(1);
      expect(client.received.map(({ length }) => length)).toEqual([longest]);
      expect(world.engine.metrics.dropped.unsendable).toBeGreaterThan(0);
    }
  });

  it('starts a new session when the device wants to resume with another length', async () => {
    const world = new World();
    const first = await world.connected(asking(1));
    const second = await world.connected({ ...asking(2), resume: first.session });
    expect([second.state, second.isResumed]).toEqual(['open', false]);
  });

  it('with an unknown code ends the handshake with illegal_parameter', async () => {
    const world = new World();
    const client = await world.connected(asking(5));
    await world.clock.advance(100);
    expect(client.alerts).toEqual(['illegal_parameter']);
  });

  it.each([512, 1024])('of %i bytes limits the fragments of the handshake', (maxFragment) => {
    const body = Buffer.alloc(3_000, 7);
    const message = encodeMessage(HANDSHAKE.certificate, 1, body);
    const fragments: Buffer[] = [];
    const sealer = {
      plain: (_type: number, fragment: Buffer) => {
        fragments.push(fragment);
        return fragment;
      },
      sealed: () => null,
    };
    packFlight([{ kind: 'handshake', message }], sealer, maxFragment);
    expect(Math.max(...fragments.map(({ length }) => length))).toBeLessThanOrEqual(maxFragment);
    const parts = fragments.flatMap((fragment) => parseFragments(fragment));
    expect(Buffer.concat(parts.map((part) => part.body)).equals(body)).toBe(true);
  });
});
