import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { allowOrigin, originAllowed } from '../../src/server/origin.ts';

function request(headers: { origin?: string; host?: string }): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers });
}

function headersOf(headers: { origin?: string }) {
  const message = request(headers);
  const response = new ServerResponse(message);
  allowOrigin(message, response);
  return { ...response.getHeaders() };
}

const LIST = ['https://app.example.com', 'https://other.example.com'];

describe('a request', () => {
  it.each<[string, { origin?: string; host?: string }, boolean]>([
    ['of no page', { host: 'api.example.com' }, true],
    ['of a page on the list', { origin: 'https://other.example.com', host: 'api.example.com' }, true],
    ['of a page of the same host', { origin: 'https://api.example.com', host: 'api.example.com' }, true],
    ['of a page of the same host and port', { origin: 'http://localhost:8080', host: 'localhost:8080' }, true],
    ['of a page of the same host on another port', { origin: 'http://localhost:5173', host: 'localhost:8080' }, false],
    ['of a page of another host', { origin: 'https://evil.example', host: 'api.example.com' }, false],
    ['of a page whose origin begins like one on the list', { origin: 'https://app.example.com.evil.example' }, false],
    ['of a page on the list by another scheme', { origin: 'http://app.example.com', host: 'api.example.com' }, false],
    ['of a page without an origin of its own', { origin: 'null', host: 'api.example.com' }, false],
    ['of a page, without a Host', { origin: 'https://api.example.com' }, false],
  ])('%s: allowed? %j', (_case, headers, allowed) => {
    expect(originAllowed(request(headers), LIST)).toBe(allowed);
  });

  it('of a page of another host is not allowed when the list is empty', () => {
    expect(originAllowed(request({ origin: 'https://app.example.com', host: 'api.example.com' }), [])).toBe(false);
  });
});

describe('the answer', () => {
  it('to a page names its origin, and what it may send', () => {
    expect(headersOf({ origin: 'https://app.example.com' })).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': 'Authorization, Content-Type, Accept',
      'access-control-max-age': '600',
    });
  });

  it('to a request that is not from a page only varies by the origin', () => {
    expect(headersOf({})).toEqual({ vary: 'Origin' });
  });
});
