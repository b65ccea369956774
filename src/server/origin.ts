import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client } from './client.ts';
import type { Log } from './log.ts';
import type { HttpSettings } from './settings.ts';

const LOCAL_PAGE = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;
/** Headers that every client of the API sends. */
const ALWAYS = ['Authorization', 'Content-Type', 'Accept'];
/** Most rejected origins that are remembered and logged. */
const REMEMBERED = 1_000;
const LONGEST_LOGGED = 200;

/** Decides which web pages may call the API, and sets the headers that tell browsers so (Fetch standard, CORS protocol). */
export class Origins {
  readonly #settings: HttpSettings;
  readonly #log: Log;
  readonly #rejected = new Set<string>();
  #rejections = 0;

  constructor(settings: HttpSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Requests that were rejected because of their origin, since the start. */
  get rejections(): number {
    return this.#rejections;
  }

  /**
   * Whether the request’s origin may call the API: the server’s own origin and public address, the listed origins, and
   * with `localPages` pages of this machine. Requests without an Origin header come from no web page and are allowed.
   */
  allows({ headers }: IncomingMessage, client: Client): boolean {
    const { origin } = headers;
    const { allowedOrigins, localPages, publicUrl } = this.#settings;
    if (origin === undefined || origin === publicUrl || allowedOrigins.includes(origin)) return true;
    if (localPages && LOCAL_PAGE.test(origin)) return true;
    // Only a browser can send this header, also through a proxy that changes Host (Fetch Metadata §2.4).
    if (headers['sec-fetch-site'] === 'same-origin') return true;
    if (!URL.canParse(origin)) return false;
    const { host, protocol } = new URL(origin);
    return host === client.host && (client.scheme === null || protocol === `${client.scheme}:`);
  }

  /** Counts a rejection, logs the first one of each origin, and returns the message for the caller. */
  reject({ headers: { origin = '' } }: IncomingMessage): string {
    this.#rejections++;
    const shown = origin.slice(0, LONGEST_LOGGED);
    if (!this.#rejected.has(shown) && this.#rejected.size < REMEMBERED) {
      this.#rejected.add(shown);
      this.#log.warn({ origin: shown }, 'a web page may not call the API: add its origin to TREELINE_ALLOWED_ORIGINS');
    }
    return `The origin ${shown} is not allowed. Add it to TREELINE_ALLOWED_ORIGINS.`;
  }

  /**
   * Sets the CORS headers with which a page can read the response. Pages of other origins get them too: they may read
   * why they are rejected, and nothing else.
   */
  setHeaders({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Vary', 'Origin');
    if (origin === undefined) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST, OPTIONS');
    response.setHeader('Access-Control-Allow-Headers', [...ALWAYS, ...this.#settings.corsHeaders].join(', '));
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
    response.setHeader('Access-Control-Max-Age', '600');
  }
}
