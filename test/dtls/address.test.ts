import { expect, it } from 'vitest';

import { isSameAddress } from '../../src/dtls/address.ts';

it.each([
  [true, 'all is the same', {}],
  [false, 'the host differs', { address: '192.0.2.2' }],
  [false, 'the port differs', { port: 5685 }],
  [false, 'the socket differs', { socket: 1 }],
])('two addresses are the same: %s, when %s', (same, _what, change) => {
  const address = { address: '192.0.2.1', port: 5684, socket: 0 };
  expect(isSameAddress(address, { ...address, ...change })).toBe(same);
});
