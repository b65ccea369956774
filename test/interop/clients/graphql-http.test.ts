import { serverAudits } from 'graphql-http';
import { describe, expect, it } from 'vitest';
import { AUTHORIZATION, useProduct } from './product.ts';

const product = useProduct();

/** Adds a token to the requests of the audits: the product refuses requests without one. */
const fetchFn: typeof fetch = (url, init) =>
  fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...AUTHORIZATION } });

const audits = serverAudits({ url: () => product().treeline.graphql, fetchFn });

describe('the audit of graphql-http (GraphQL over HTTP)', () => {
  it('has 61 cases', () => expect(audits).toHaveLength(61));

  it.each(audits)('$id $name', async ({ fn }) => {
    const result = await fn();
    if (result.status !== 'ok') {
      const body = await result.response.text().catch(() => 'no body');
      expect.fail(`${result.status}: ${result.reason}; HTTP ${result.response.status}: ${body}`);
    }
  });
});
