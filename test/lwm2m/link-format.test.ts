import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLinks, Lwm2mError, parseLinks } from '../../src/lwm2m/index.ts';

describe('link format', () => {
  it.each([
    ['</>;rt="oma.lwm2m";ct="110 112"', [{ uri: '/', attributes: { rt: 'oma.lwm2m', ct: '110 112' } }]],
    ['</a/b%20c>;title="x\\"y\\\\,;<>"', [{ uri: '/a/b%20c', attributes: { title: 'x"y\\,;<>' } }]],
    ['</3/>', [{ uri: '/3/', attributes: {} }]],
    ['</1>;a=1;a=2', [{ uri: '/1', attributes: { a: '1' } }]],
    ['</>;ct=110;ct=112;rt=oma.lwm2m', [{ uri: '/', attributes: { ct: '110 112', rt: 'oma.lwm2m' } }]],
    ['</>;ct=60 110 112;rt=a', [{ uri: '/', attributes: { ct: '60 110 112', rt: 'a' } }]],
    [
      '</> ; a=1 ,\r\n</1>,\n',
      [
        { uri: '/', attributes: { a: '1' } },
        { uri: '/1', attributes: {} },
      ],
    ],
    ['</1>\0', [{ uri: '/1', attributes: {} }]],
    ['</1>,\0', [{ uri: '/1', attributes: {} }]],
    ['</1>;a=1 \t', [{ uri: '/1', attributes: { a: '1' } }]],
    ['</1>;title*=x', [{ uri: '/1', attributes: { 'title*': 'x' } }]],
    ['</1>;hb;x=""', [{ uri: '/1', attributes: { hb: null, x: '' } }]],
    [
      'lwm2m=1.0,</0/0>',
      [
        { uri: '/', attributes: { lwm2m: '1.0' } },
        { uri: '/0/0', attributes: {} },
      ],
    ],
    [
      'lwm2m="1.0", </0/0>',
      [
        { uri: '/', attributes: { lwm2m: '1.0' } },
        { uri: '/0/0', attributes: {} },
      ],
    ],
    ['', []],
  ])('reads %s', (text, links) => {
    expect(parseLinks(text)).toEqual(links);
  });

  it('refuses many blanks after a link without trying each of them again', () => {
    // With a pattern of quadratic time this takes a minute, longer than a test may take.
    expect(() => parseLinks(`</1>${' '.repeat(2 ** 18)}x`)).toThrow('invalid link format');
    expect(() => parseLinks(`</1>,${'\0'.repeat(2 ** 18)}x`)).toThrow('invalid link format');
  });

  // Leshan's list of texts that RFC 6690 does not allow, except those that devices send.
  it.each([
    '<file:///etc/handlers>',
    '</handlers?query>',
    '</handlers#hash>',
    '</%>',
    '</%a>',
    '</%1g>',
    '</fóó>',
    '</foo>;pąrąm',
    '</foo>;param=ą',
    '</foo>;param="bar',
    '</foo>;param="bar\\"',
    '</>;=',
    '</>;param=',
    '</>;param =123',
    '</>;param= 123',
    '<>',
    '</',
    '<//>',
    '//>',
    '</>,,',
    '</>,\0</1>',
    '</>;ct=60 x',
    '</>;',
    ' </>,</>',
    'lwm2m=1.0,',
    '</>;a=b"c"',
  ])('refuses %s', (text) => {
    expect(() => parseLinks(text)).toThrow(Lwm2mError);
  });

  it('gives the offset of the error', () => {
    expect(() => parseLinks('</1/0>,</2')).toThrow(expect.objectContaining({ code: 'INVALID_PAYLOAD', offset: 7 }));
  });

  it('accepts attributes with the names of object properties', () => {
    const [link] = parseLinks('</1>;__proto__=x;constructor=y');
    expect(Object.entries(link?.attributes ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('reads what it writes', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const uri = fc.stringMatching(/^\/(?:[\w.~-]+\/){0,3}[\w.~-]*$/);
    const value = fc.option(fc.string({ unit: 'binary' }));
    const link = fc.record({ uri, attributes: fc.dictionary(name, value, { noNullPrototype: true }) });
    fc.assert(
      fc.property(fc.array(link), (links) => {
        expect(parseLinks(formatLinks(links))).toEqual(links);
      }),
    );
  });

  it('throws only Lwm2mError on any text', () => {
    const piece = fc.constantFrom('<', '>', '/', ';', '=', '"', '\\', ',', ' ', 'a', '1', '%', '%20', 'lwm2m=1.0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parseLinks(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(Lwm2mError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
