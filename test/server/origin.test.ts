import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { createClientFinder } from '../../src/server/client.ts';
import { Origins } from '../../src/server/origin.ts';
import type { HttpSettings } from '../../src/server/index.ts';
import { HTTP_SETTINGS } from './bare-server.ts';

function request(headers: Record<string, string>): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers });
}

function origins(settings: Partial<HttpSettings> = {}) {
  const logged: object[] = [];
  const log = { info: () => {}, warn: (fields: object) => void logged.push(fields), error: () => {} };
  return { origins: new Origins({ ...HTTP_SETTINGS, ...settings }, log), logged };
}

function isAllowed(headers: Record<string, string>, settings: Partial<HttpSettings> = {}): boolean {
  const message = request(headers);
  return origins(settings).origins.allows(message, createClientFinder([])(message));
}

function headersOf(headers: { origin?: string }, settings: Partial<HttpSettings> = {}) {
  const message = request(headers);
  const response = new ServerResponse(message);
  origins(settings).origins.setHeaders(message, response);
  return { ...response.getHeaders() };
}

const LIST = { allowedOrigins: ['https://app.example.com', 'https://other.example.com'] };
const API = 'api.example.com';

describe('a request', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['of no page', { host: API }, true],
    ['of a page on the list', { origin: 'https://other.example.com', host: API }, true],
    ['of a page of the same host', { origin: 'https://api.example.com', host: API }, true],
    ['of a page of the same host and port', { origin: 'http://localhost:8080', host: 'localhost:8080' }, true],
    ['of a page of the same host on another port', { origin: 'http://localhost:5173', host: 'localhost:8080' }, false],
    ['of a page of another host', { origin: 'https://evil.example', host: API }, false],
    ['of a page whose origin begins like one on the list', { origin: 'https://app.example.com.evil.example' }, false],
    ['of a page on the list by another scheme', { origin: 'http://app.example.com', host: API }, false],
    ['of a page without an origin of its own', { origin: 'null', host: API }, false],
    ['of a page, without a Host', { origin: 'https://api.example.com' }, false],
    [
      'of a page that the browser calls same-origin, through a proxy that changes Host',
      { origin: 'https://api.example.com', host: '127.0.0.1:4000', 'sec-fetch-site': 'same-origin' },
      true,
    ],
    [
      'of a page that the browser calls cross-site',
      { origin: 'https://evil.example', host: API, 'sec-fetch-site': 'cross-site' },
      false,
    ],
  ])('%s: allowed? %j', (_case, headers, allowed) => {
    expect(isAllowed(headers, LIST)).toBe(allowed);
  });

  it('of a page of another host is not allowed when the list is empty', () => {
    expect(isAllowed({ origin: 'https://app.example.com', host: API })).toBe(false);
  });

  it('of a page of the public address is allowed', () => {
    const publicUrl = 'https://api.example.com';
    expect(isAllowed({ origin: publicUrl, host: '127.0.0.1:4000' }, { publicUrl })).toBe(true);
    expect(isAllowed({ origin: 'http://api.example.com', host: '127.0.0.1:4000' }, { publicUrl })).toBe(false);
  });

  it.each([
    ['http://localhost', true],
    ['http://localhost:5173', true],
    ['https://localhost:8443', true],
    ['http://127.0.0.1:3000', true],
    ['http://[::1]:3000', true],
    ['http://localhost.evil.example', false],
    ['http://127.0.0.1.evil.example', false],
    ['http://192.168.1.2:3000', false],
  ])('of a page of %s is allowed where pages of this machine are: %j', (origin, allowed) => {
    expect(isAllowed({ origin, host: '127.0.0.1:4000' }, { localPages: true })).toBe(allowed);
    expect(isAllowed({ origin, host: '127.0.0.1:4000' })).toBe(false);
  });
});

describe('a rejected origin', () => {
  it('is named, counted, and logged once', () => {
    const { origins: present, logged } = origins();
    const evil = request({ origin: 'https://evil.example' });
    expect(present.reject(evil)).toBe(
      'The origin https://evil.example is not allowed. Add it to TREELINE_ALLOWED_ORIGINS.',
    );
    present.reject(evil);
    present.reject(request({ origin: 'https://other.example' }));
    expect(present.rejections).toBe(3);
    expect(logged).toEqual([{ origin: 'https://evil.example' }, { origin: 'https://other.example' }]);
  });

  it('is not logged after 1,000 others', () => {
    const { origins: present, logged } = origins();
    for (let page = 0; page < 1_010; page++) present.reject(request({ origin: `https://${page}.example` }));
    expect([logged.length, present.rejections]).toEqual([1_000, 1_010]);
  });
});

describe('the answer', () => {
  it('to a page names its origin, what it may send and what it may read', () => {
    expect(headersOf({ origin: 'https://app.example.com' }, { corsHeaders: ['traceparent'] })).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': 'Authorization, Content-Type, Accept, traceparent',
      'access-control-expose-headers': 'Retry-After, X-Request-Id',
      'access-control-max-age': '600',
    });
  });

  it('to a request that is not from a page only varies by the origin', () => {
    expect(headersOf({})).toEqual({ vary: 'Origin' });
  });
});
