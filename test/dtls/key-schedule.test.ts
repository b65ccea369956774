import { describe, expect, it } from 'vitest';

import { keyBlock, prf, pskPremasterSecret } from '../../src/dtls/key-schedule.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

describe('the key schedule', () => {
  it('matches the published test vector of P_SHA256', () => {
    // https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms: "Test vectors for the TLS 1.2 PRF".
    const secret = hex('9bbe436ba940f017b17652849a71db35');
    const seed = hex('a0ba9f936cda311827a6f796ffd5198c');
    expect(prf(secret, 'test label', seed, 100).toString('hex')).toBe(
      hex(`e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a
           6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab
           4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
           87347b66`).toString('hex'),
    );
  });

  it('writes zeros of the same length before a PSK: RFC 4279 §2', () => {
    expect(pskPremasterSecret(hex('aabb')).toString('hex')).toBe('000200000002aabb');
  });

  it('cuts the key block in the order of RFC 5246 §6.3', () => {
    const [client, server] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const master = Buffer.alloc(48, 3);
    const block = prf(master, 'key expansion', Buffer.concat([server, client]), 2 * (32 + 16 + 4));
    const keys = keyBlock(master, client, server, { macKey: 32, key: 16, iv: 4 });
    const parts = [
      keys.client.macKey,
      keys.server.macKey,
      keys.client.key,
      keys.server.key,
      keys.client.iv,
      keys.server.iv,
    ];
    expect(Buffer.concat(parts)).toEqual(block);
  });
});
