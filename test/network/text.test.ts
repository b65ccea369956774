import { describe, expect, it } from 'vitest';
import { addressWithPort, networkText } from '../../src/network/index.ts';

describe('an address with its port', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7:5683'],
    ['2001:db8::7', '[2001:db8::7]:5683'],
    ['::ffff:192.0.2.7', '192.0.2.7:5683'],
  ])('%s is written %s', (address, text) => {
    expect(addressWithPort({ address, port: 5683 })).toBe(text);
  });
});

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:7', '2001:db8:0:7::/64'],
  ])('%s is written %s', (network, text) => {
    expect(networkText(network)).toBe(text);
  });
});
