import { describe, expect, it } from 'vitest';
import { ALERTS, decodeAlert, encodeAlert, type AlertDescription } from '../../src/dtls/alert.ts';

describe('an alert (RFC 5246 §7.2)', () => {
  it.each([
    ['a warning', 'warning', 'close_notify', [1, 0]],
    ['a fatal alert', 'fatal', 'handshake_failure', [2, 40]],
  ] as const)('that is %s is its level and its description', (_what, level, description, bytes) => {
    expect(encodeAlert(level, description)).toEqual(Buffer.from(bytes));
    expect(decodeAlert(Buffer.from(bytes))).toEqual({ level, description });
  });

  it('is read by its name for every description', () => {
    for (const [description, number] of Object.entries(ALERTS)) {
      expect(decodeAlert(Buffer.from([2, number]))?.description).toBe(description as AlertDescription);
    }
  });

  it('keeps the number of a description without a name', () => {
    expect(decodeAlert(Buffer.from([1, 200]))).toEqual({ level: 'warning', description: 200 });
  });

  it.each([
    ['nothing', []],
    ['one byte', [2]],
    ['three bytes', [2, 40, 0]],
    ['the level 0', [0, 40]],
    ['the level 3', [3, 40]],
  ])('is not %s', (_what, bytes) => {
    expect(decodeAlert(Buffer.from(bytes))).toBeNull();
  });
});
