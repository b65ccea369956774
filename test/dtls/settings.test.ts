import { describe, expect, it } from 'vitest';
import { checked, DEFAULT_SETTINGS, type DtlsSettings } from '../../src/dtls/settings.ts';
import { SUITES } from '../../src/dtls/suites.ts';

const refused = expect.objectContaining({ name: 'DtlsError', code: 'settings' });

describe('the settings of DTLS', () => {
  it('are taken as they are by default, with every suite enabled', () => {
    expect(checked(DEFAULT_SETTINGS)).toBe(DEFAULT_SETTINGS);
    expect(DEFAULT_SETTINGS.suites).toEqual(SUITES.map(({ name }) => name));
    expect(DEFAULT_SETTINGS).toMatchObject({
      macThenEncrypt: false,
      certificateTypes: ['RawPublicKey', 'X509'],
      limits: { evictAfterIdleMs: 60_000, handshakeDeadlineMs: 63_000, resumableMs: 86_400_000 },
    });
  });

  it.each([0, 1, 255])('take the worker id %i', (workerId) => {
    expect(checked({ ...DEFAULT_SETTINGS, workerId }).workerId).toBe(workerId);
  });

  it.each([-1, 256, 1.5, Number.NaN])('refuse the worker id %d', (workerId) => {
    expect(() => checked({ ...DEFAULT_SETTINGS, workerId })).toThrow(refused);
  });

  it('refuse a list without a cipher suite', () => {
    expect(() => checked({ ...DEFAULT_SETTINGS, suites: [] })).toThrow(refused);
  });

  it('refuse a cipher suite that is not known, also behind known ones', () => {
    // Settings come from the environment, where a name may be anything.
    const suites = ['TLS_PSK_WITH_AES_128_CCM_8', 'TLS_NULL'] as DtlsSettings['suites'];
    expect(() => checked({ ...DEFAULT_SETTINGS, suites })).toThrow(refused);
  });
});
