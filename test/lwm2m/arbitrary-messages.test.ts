import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { Lwm2mError, Path, type Operation } from '../../src/lwm2m/index.ts';
import { DEV1, world } from './lwm2m-world.ts';

const temperature = Path.parse('/3303/0/5700');

describe('any response of a device', () => {
  it('becomes a result or an Lwm2mError', async () => {
    const { device, handlers, perform, faults } = await world();
    await device.register(['ep=dev1', 'lt=0', 'lwm2m=1.1'], '</3/0>,</3303/0>');
    const answer = fc.record({
      code: fc.oneof(fc.constantFrom(69, 69, 69, 65, 67, 68, 132, 160), fc.integer({ min: 64, max: 191 })),
      contentFormat: fc.option(fc.constantFrom(0, 40, 42, 60, 110, 112, 1542, 11542, 11543, 11544, 65535), {
        nil: undefined,
      }),
      payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('21.5', '[{"n":"/3/0/9","v":1}]', '</3/0>')),
      locationPath: fc.array(fc.constantFrom('3303', '0', '99999', 'x'), { maxLength: 3 }),
      observe: fc.option(fc.constantFrom(0, 1, 2), { nil: undefined }),
    });
    const operation = fc.constantFrom<Operation>(
      { kind: 'read', path: Path.parse('/3/0') },
      { kind: 'read', path: temperature, contentFormat: null },
      { kind: 'read-composite', paths: [Path.root] },
      { kind: 'discover', path: Path.parse('/3') },
      { kind: 'observe', paths: [temperature] },
      { kind: 'create', objectId: 3303, instanceId: null, values: [] },
      { kind: 'delete', path: Path.parse('/3303/0') },
      { kind: 'execute', path: Path.parse('/3/0/4'), arguments: {} },
    );
    await fc.assert(
      fc.asyncProperty(operation, answer, async (asked, { contentFormat, observe, ...rest }) => {
        device.onAsked = () => ({
          ...rest,
          ...(contentFormat !== undefined && { contentFormat }),
          ...(observe !== undefined && { observe }),
        });
        try {
          expect(await perform(asked, { timeoutMs: 1_000, ms: 1_100 })).toMatchObject({
            code: expect.stringMatching(/^\d\.\d\d$/),
          });
        } catch (error) {
          expect(error).toBeInstanceOf(Lwm2mError);
          expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_ANSWER|TIMEOUT)$/) });
        }
        device.asked.length = 0;
      }),
      { numRuns: 500 },
    );
    expect(faults).toEqual([]);
    device.onAsked = () => ({ code: codes.content, contentFormat: 110, payload: '[{"n":"/3/0/9","v":77}]' });
    expect(await perform({ kind: 'read', path: Path.parse('/3/0') })).toMatchObject({ ok: true });
    expect(handlers.values.at(-1)).toBe('/3/0/9=77');
  }, 60_000);
});

describe('any request of a device', () => {
  it('gets a response and never breaks the server', async () => {
    const { device, server, faults } = await world();
    await device.register(DEV1);
    const segment = fc.constantFrom('rd', 'dp', 'bs', '', '0', '..', 'x'.repeat(255), device.location.slice(4));
    const parameter = fc.oneof(
      fc.constantFrom(
        'ep=dev1',
        'ep=',
        'ep=\u{1f600}',
        'lt=300',
        'lt=-1',
        'lwm2m=1.1',
        'lwm2m=9.9',
        'b=Q',
        'Q',
        'sms=1',
        'pid=x',
      ),
      fc.string({ maxLength: 40 }),
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'),
      path: fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
      query: fc.array(parameter, { maxLength: 5 }),
      contentFormat: fc.option(fc.constantFrom(0, 40, 60, 110, 112, 11542, 11544, 65535), { nil: undefined }),
      payload: fc.oneof(
        fc.constantFrom('</1/0>,</3/0>', '</>', '<', '[{"n":"/3/0/9","v":1}]', ''),
        fc.uint8Array({ maxLength: 60 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ contentFormat, ...rest }) => {
        const { code } = await device.request({ ...rest, ...(contentFormat !== undefined && { contentFormat }) });
        expect(code).toMatch(/^[24]\.\d\d$/);
      }),
      { numRuns: 500 },
    );
    expect(faults).toEqual([]);
    expect(await device.register(DEV1)).toMatchObject({ code: '2.01' });
    expect(server.registration('dev1')).toBeDefined();
  });
});
