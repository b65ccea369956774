import { describe, expect, it } from 'vitest';
import { SerialTasks } from '../../src/lwm2m/serial-tasks.ts';

/** A task that ends when the test calls `end`. */
function held(log: string[], name: string) {
  const waiting: (() => void)[] = [];
  const task = async (): Promise<string> => {
    log.push(`${name} begins`);
    await new Promise<void>((resolve) => void waiting.push(resolve));
    log.push(`${name} ends`);
    return name;
  };
  return { task, end: () => waiting.shift()?.() };
}

describe('tasks', () => {
  it('run one after the other under one key, in the order of the calls, and in parallel under other keys', async () => {
    const tasks = new SerialTasks(8);
    const log: string[] = [];
    const [first, second, other] = [held(log, 'first'), held(log, 'second'), held(log, 'other')];
    const results = [tasks.run('a', first.task), tasks.run('a', second.task), tasks.run('b', other.task)];
    await Promise.resolve();
    other.end();
    await results[2];
    first.end();
    await results[0];
    await Promise.resolve();
    second.end();
    expect(await Promise.all(results)).toEqual(['first', 'second', 'other']);
    expect(log).toEqual(['first begins', 'other begins', 'other ends', 'first ends', 'second begins', 'second ends']);
  });

  it('continue after one that failed', async () => {
    const tasks = new SerialTasks(8);
    const failed = tasks.run('a', () => Promise.reject(new Error('no')));
    const next = tasks.run('a', async () => 'done');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  it('are refused above the maximum, and accepted again when others are done', async () => {
    const tasks = new SerialTasks(1);
    const first = held([], 'first');
    const running = tasks.run('a', first.task);
    await expect(tasks.run('a', async () => 'second')).rejects.toMatchObject({ code: 'LIMIT' });
    await Promise.resolve();
    first.end();
    await running;
    expect(await tasks.run('a', async () => 'third')).toBe('third');
  });
});
