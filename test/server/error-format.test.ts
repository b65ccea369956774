import { createClient } from 'graphql-ws';
import type { FormattedExecutionResult } from 'graphql';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { useBareServers, type BareServer } from './bare-server.ts';

const start = useBareServers();

/** Requests that are not executed, and their codes. */
const REFUSED: readonly (readonly [string, { query: string; variables?: object; operationName?: string }, string])[] = [
  ['no GraphQL', { query: '{ viewer' }, 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['a literal of another type', { query: '{ devices(first: 1.5) { totalCount } }' }, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a variable of another type',
    { query: 'query ($n: Int) { devices(first: $n) { totalCount } }', variables: { n: 1.5 } },
    'BAD_USER_INPUT',
  ],
  [
    'a variable of another scalar',
    {
      query: 'query ($at: DateTime) { devices(filter: { lastSeenAfter: $at }) { totalCount } }',
      variables: { at: '0000-01-01T00:00:00Z' },
    },
    'BAD_USER_INPUT',
  ],
  ['a variable that is missing', { query: 'query ($id: ID!) { node(id: $id) { id } }' }, 'BAD_USER_INPUT'],
  ['too high a cost', { query: '{ viewer { role limits { maximumDepth } } }' }, 'COST_LIMIT_EXCEEDED'],
];
const LIMITS = { complexity: 3 };

async function overWebSocket({ url }: BareServer, request: { query: string; variables?: object }): Promise<unknown> {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { token: 'viewer' },
    retryAttempts: 0,
  });
  const errors = await new Promise((resolve) =>
    client.subscribe(
      { query: request.query, variables: { ...request.variables } },
      {
        next: ({ errors }) => resolve(errors),
        error: (failure) => resolve(failure),
        complete: () => resolve(null),
      },
    ),
  );
  await client.dispose();
  return errors;
}

describe('a request that is not executed', () => {
  it.each(REFUSED)('has its code and no hint for HTTP: %s', async (_case, request, code) => {
    const world = await start({ limits: LIMITS });
    const expected = [expect.objectContaining({ extensions: { code } })];
    for (const [accept, status] of [
      ['application/json', 200],
      ['application/graphql-response+json', 400],
    ] as const) {
      const response = await world.post(request, { Accept: accept });
      expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
      expect(response.status).toBe(status);
      const body = (await response.json()) as FormattedExecutionResult;
      expect(body.errors).toEqual(expected);
      expect(body).not.toHaveProperty('data');
    }
    expect(await overWebSocket(world, request)).toEqual(expected);
  });

  it('shows only the start and the end of a message that repeats a long value', async () => {
    const { post } = await start();
    const query = 'query ($n: Int) { devices(first: $n) { totalCount } }';
    const body = (await (
      await post({ query, variables: { n: 'x'.repeat(100_000) } })
    ).json()) as FormattedExecutionResult;
    expect(body.errors?.[0]?.message).toMatch(/^Variable "\$n" got invalid value "xxx.*…x+"$/);
    expect(body.errors?.[0]?.message.length).toBeLessThan(600);
  });

  it('of which no operation has the name is answered with a code over a WebSocket too', async () => {
    const world = await start();
    const query = 'query a { viewer { role } } query b { viewer { role } }';
    expect(await overWebSocket(world, { query })).toEqual([
      expect.objectContaining({ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }),
    ]);
  });
});

describe('a request that is no GraphQL request', () => {
  it.each([
    ['no JSON', '{ "not a JSON'],
    ['no body', ''],
    ['no query', '{ "notquery": "{ __typename }" }'],
    ['a list', '[]'],
  ])('is answered 400 in both media types: %s', async (_case, body) => {
    const { url } = await start();
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const headers = { 'Content-Type': 'application/json', Accept: accept, Authorization: 'Bearer viewer' };
      const response = await fetch(url, { method: 'POST', headers, body });
      expect([accept, response.status]).toEqual([accept, 400]);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    }
  });
});
