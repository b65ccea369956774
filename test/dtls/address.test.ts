import { expect, it } from 'vitest';

import { isSameAddress } from '../../src/dtls/address.ts';
import { networkOf } from '../../src/network/index.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:0001:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8::3:4:5:6', '2001:db8:0:0'],
  ['2001:db8:1::3:4:5:6', '2001:db8:1:0'],
  ['1:2:3:4:5:6:7::', '1:2:3:4'],
  ['::3:4:5:6:7:8', '0:0:3:4'],
  ['2001:db8::ffff:192.0.2.1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('the limits count %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it.each([
  [true, 'all is the same', {}],
  [false, 'the host differs', { address: '192.0.2.2' }],
  [false, 'the port differs', { port: 5685 }],
  [false, 'the socket differs', { socket: 1 }],
])('two addresses are the same: %s, when %s', (same, _what, change) => {
  const address = { address: '192.0.2.1', port: 5684, socket: 0 };
  expect(isSameAddress(address, { ...address, ...change })).toBe(same);
});
