import { describe, expect, it } from 'vitest';

import { useBareServers, until } from './bare-server.ts';

const start = useBareServers();

const operations = (metered: readonly string[][]): string[][] => metered.filter(([kind]) => kind !== 'request');

describe('the meter', () => {
  it('gets each request with its path, others as one, and the class of its status', async () => {
    const { origin, metered } = await start();
    for (const path of ['/healthz?x=1', '/metrics', '/secret/path']) await (await fetch(origin + path)).text();
    await until(() => metered.length === 3);
    expect(metered).toEqual([
      ['request', '/healthz', '2xx'],
      ['request', '/metrics', '4xx'],
      ['request', 'other', '4xx'],
    ]);
  });

  it('gets each operation with its name, type and outcome, and those that are invalid', async () => {
    const { post, metered } = await start();
    for (const query of [
      'query Types { __typename }',
      '{ __typename }',
      'query Failing { devices(first: 1) { totalCount } }',
      'query Wrong { nothing }',
      'query {',
    ]) {
      await (await post({ query })).text();
    }
    expect(operations(metered)).toEqual([
      ['operation', 'Types', 'query', 'ok'],
      ['operation', 'other', 'query', 'ok'],
      ['operation', 'Failing', 'query', 'error'],
      ['invalid operation'],
      ['invalid operation'],
    ]);
  });

  it('gets an operation whose lists can’t be measured, and its error has a code', async () => {
    const { post, metered } = await start();
    const query = 'query Nested { devices { nodes { objects { instances { resources { value } } } } } }';
    const { errors } = (await (await post({ query })).json()) as { errors: { extensions: { code: string } }[] };
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(operations(metered)).toEqual([['operation', 'Nested', 'query', 'error']]);
  });

  it('gets at most 100 names; later ones and long ones are one name', async () => {
    const { post, metered } = await start();
    for (let n = 0; n <= 100; n++) await (await post({ query: `query Name${n} { __typename }` })).text();
    await (await post({ query: 'query Name0 { __typename }' })).text();
    await (await post({ query: `query ${'N'.repeat(65)} { __typename }` })).text();
    const names = operations(metered).map(([, name]) => name);
    expect(names.slice(98)).toEqual(['Name98', 'Name99', 'other', 'Name0', 'other']);
  });
});
