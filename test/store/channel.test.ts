import { Client } from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../src/clock.ts';
import { openChannel, type Channel } from '../../src/store/index.ts';

const server = process.env['TREELINE_TEST_DATABASE_URL'] ?? '';

describe('the channel of the embedded database', () => {
  it('is connected and silent, because there is one process', async () => {
    const heard: string[] = [];
    const channel = openChannel({
      database: { kind: 'embedded', directory: 'unused' },
      clock: systemClock,
      onMessage: (message) => heard.push(message),
      onConnected: () => heard.push('connected'),
      onLost: (error) => heard.push(error.message),
    });
    await channel.send('a');
    expect(heard).toEqual([]);
    expect(channel.snapshot()).toMatchObject({ connected: true, lost: 0 });
    await channel.close();
  });
});

describe.runIf(server)('the channel of Postgres', () => {
  const open: Channel[] = [];
  afterEach(async () => {
    for (const channel of open.splice(0)) await channel.close();
  });

  async function opened(): Promise<{ channel: Channel; heard: string[]; connected: () => number }> {
    const heard: string[] = [];
    let times = 0;
    const channel = openChannel({
      database: { kind: 'postgres', url: server },
      clock: systemClock,
      onMessage: (message) => heard.push(message),
      onConnected: () => times++,
      onLost: () => {},
    });
    open.push(channel);
    await vi.waitFor(() => expect(times).toBe(1));
    return { channel, heard, connected: () => times };
  }

  it('takes a message to every process', async () => {
    const [first, second] = [await opened(), await opened()];
    await first.channel.send('{"a":1}');
    await vi.waitFor(() => expect([first.heard, second.heard]).toEqual([['{"a":1}'], ['{"a":1}']]));
  });

  it('connects again after its connection was lost, and says so', async () => {
    const [first, second] = [await opened(), await opened()];
    const admin = new Client({ connectionString: server });
    await admin.connect();
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen treeline%'`);
    await admin.end();
    await vi.waitFor(() => expect([first.connected(), second.connected()]).toEqual([2, 2]), 5_000);
    expect(first.channel.snapshot()).toMatchObject({ connected: true, lost: 1 });
    await first.channel.send('again');
    await vi.waitFor(() => expect(second.heard).toContain('again'));
  });

  it('rejects a message while it is not connected', async () => {
    const { channel } = await opened();
    await channel.close();
    await expect(channel.send('a')).rejects.toThrow('not connected');
  });
});
