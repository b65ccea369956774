import { describe, expect, it } from 'vitest';
import { codeName, codes, formatCode, methodCode, methodOf } from '../../src/coap/code.ts';

describe('codes', () => {
  it.each([
    [codes.content, '2.05', 'Content'],
    [codes.continue, '2.31', 'Continue'],
    [codes.notFound, '4.04', 'Not Found'],
    [codes.requestEntityIncomplete, '4.08', 'Request Entity Incomplete'],
    [codes.requestEntityTooLarge, '4.13', 'Request Entity Too Large'],
    [codes.tooManyRequests, '4.29', 'Too Many Requests'],
    [codes.proxyingNotSupported, '5.05', 'Proxying Not Supported'],
  ])('writes %i as %s %s', (code, dotted, name) => {
    expect(formatCode(code)).toBe(dotted);
    expect(codeName(code)).toBe(name);
  });

  it('have no name when they are not registered', () => {
    expect(formatCode(0xff)).toBe('7.31');
    expect(codeName(0xff)).toBeNull();
  });

  it('map the methods of RFC 7252 and RFC 8132 to their numbers, and other numbers to null', () => {
    expect((['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'] as const).map(methodCode)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(methodOf(7)).toBe('iPATCH');
    expect(methodOf(8)).toBeNull();
    expect(methodOf(0)).toBeNull();
  });
});
