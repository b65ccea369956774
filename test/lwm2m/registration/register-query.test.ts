import { describe, expect, it } from 'vitest';
import { parseRegisterQuery, parseUpdateQuery } from '../../../src/lwm2m/index.ts';
import { vectors } from '../codec/vectors.ts';

/** The parameters with the names of the vectors, which omit missing parameters. */
function inWordsOfVectors(query: string): unknown {
  const result = parseRegisterQuery(query.split('&'));
  if (!result.ok) return result.code;
  const { endpoint, lifetime, lwm2mVersion, binding, queueMode, smsNumber, profileIds } = result.parameters;
  return {
    ep: endpoint,
    lt: lifetime,
    lwm2m: lwm2mVersion,
    binding,
    queue: queueMode,
    ...(smsNumber === null ? {} : { sms: smsNumber }),
    ...(profileIds.length === 0 ? {} : { pid: profileIds }),
  };
}

describe('the query of a Register', () => {
  // Old devices send `lwm2m=1`, which can only mean 1.0.
  const asWritten = vectors.registerQueries.filter(({ q }) => !q.endsWith('&lwm2m=1'));
  it.each(asWritten)('$q', ({ q, ok, error }) => {
    expect(inWordsOfVectors(q)).toEqual(ok ?? error);
  });

  it.each(['1', '1.0.0'])('takes lwm2m=%s for 1.0', (version) => {
    expect(inWordsOfVectors(`ep=dev1&lt=60&lwm2m=${version}`)).toMatchObject({ lwm2m: '1.0' });
  });

  it.each([
    ['ep=d&lt=60&lwm2m=1.0&b=SQ', 'S', true],
    ['ep=d&lt=60&lwm2m=1.1&b=UTSN', 'UTSN', false],
    ['ep=d&lt=60&lwm2m=1.2&b=MH&Q=', 'MH', true],
    ['ep=d&lt=60&lwm2m=1.1&Q&b=U', 'U', true],
  ])('reads %s as binding %s, queue mode %s', (q, binding, queueMode) => {
    expect(parseRegisterQuery(q.split('&'))).toMatchObject({ ok: true, parameters: { binding, queueMode } });
  });

  it.each([
    ['ep=d&lwm2m=1.1', '4.00'],
    ['lt=60&lwm2m=1.0', '4.00'],
    ['ep=d&lt=60&lwm2m=1.3', '4.12'],
    ['ep=d&lt=60&lwm2m=1.1.1', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&b=', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&b=UU', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&b=M', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&b=Q', '4.00'],
    ['ep=d&lt=60&lwm2m=1.0&b=SU', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&Q=1', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&sms=abc', '4.00'],
    ['ep=d&lt=4294967296&lwm2m=1.1', '4.00'],
    ['ep=d&lt=&lwm2m=1.1', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&x=1&x=2', '4.00'],
    ['ep=d&lt=60&lwm2m=1.1&=1', '4.00'],
    ['ep=d&lt=60&lwm2m=1.2&pid=6:ABCD', '4.00'],
    ['ep=d&lt=60&lwm2m=1.2&pid=6:ab,v:m', '4.00'],
  ])('answers %s with %s', (q, code) => {
    expect(parseRegisterQuery(q.split('&'))).toMatchObject({ ok: false, code });
  });

  it('keeps unknown parameters of any name', () => {
    const result = parseRegisterQuery(['ep=d', 'lt=0', 'lwm2m=1.1', 'foo=a=b', 'bar', '__proto__=x', 'pid=6:ab']);
    expect(result.ok && Object.entries(result.parameters.additional)).toEqual([
      ['foo', 'a=b'],
      ['bar', ''],
      ['__proto__', 'x'],
      ['pid', '6:ab'],
    ]);
  });
});

describe('the query of an Update', () => {
  it('has no defaults', () => {
    expect(parseUpdateQuery([], '1.1')).toEqual({ ok: true, parameters: { additional: {} } });
    expect(parseUpdateQuery(['lt=0', 'sms=+336'], '1.1')).toEqual({
      ok: true,
      parameters: { lifetime: 0, smsNumber: '336', additional: {} },
    });
    expect(parseUpdateQuery(['b=UQ'], '1.0')).toEqual({
      ok: true,
      parameters: { binding: 'U', queueMode: true, additional: {} },
    });
    expect(parseUpdateQuery(['Q'], '1.1')).toEqual({ ok: true, parameters: { queueMode: true, additional: {} } });
  });

  it('is refused for the same errors as that of a Register', () => {
    expect(parseUpdateQuery(['lt=-1'], '1.1')).toMatchObject({ ok: false, code: '4.00' });
    expect(parseUpdateQuery(['b=T'], '1.0')).toMatchObject({ ok: false, code: '4.00' });
    expect(parseUpdateQuery(['lt=1', 'lt=1'], '1.1')).toMatchObject({ ok: false, code: '4.00' });
  });
});
