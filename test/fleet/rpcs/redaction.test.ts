import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/fleet/rpcs/redaction.ts';

describe('parameters kept for audit', () => {
  it('hide what secret names hold, at any depth', () => {
    const params = { psk: '00ff', nested: [{ apiToken: 'abc', name: 'gate' }], Password: { old: 'a' }, level: 3 };
    expect(redact(params, () => false)).toEqual({
      psk: '[redacted]',
      nested: [{ apiToken: '[redacted]', name: 'gate' }],
      Password: '[redacted]',
      level: 3,
    });
  });

  it('hide what is written to a secret path, and keep the path', () => {
    const params = {
      values: [
        { path: '/0/0/5', value: 'c2VjcmV0' },
        { path: '/1/0/1', value: 300 },
      ],
      mode: 'REPLACE',
    };
    expect(redact(params, (path) => path.startsWith('/0/'))).toEqual({
      values: [
        { path: '/0/0/5', value: '[redacted]' },
        { path: '/1/0/1', value: 300 },
      ],
      mode: 'REPLACE',
    });
  });

  it('keep a long text by its digest', () => {
    expect(redact({ image: 'A'.repeat(2000) }, () => false)).toEqual({
      image: expect.stringMatching(/^\[2000 characters, sha256 [0-9a-f]{64}\]$/),
    });
  });

  it('end at a bounded depth', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 1000; level++) deep = { deeper: deep };
    expect(JSON.stringify(redact(deep, () => false))).not.toContain('bottom');
  });
});
