import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** GraphiQL: a page and its assets, each with its own URL below the path of the API. */
export interface Graphiql {
  /** Answers a request for the page or an asset. False: the request is for neither. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

interface Asset {
  readonly contentType: string;
  readonly plain: Buffer;
  readonly compressed: Buffer;
  /** A weak one, because both encodings share it (RFC 9110 §8.8.3). */
  readonly etag: string;
}

/** What the page asks for first. */
export interface GraphiqlOptions {
  readonly title: string;
  readonly query: string;
  /** The text of the Headers field. The page does not keep what the user enters there. */
  readonly headers: string;
}

/** What GraphiQL shows at its start. */
export const GRAPHIQL: GraphiqlOptions = {
  title: 'Treeline',
  query: `# Treeline. Enter your token under Headers below: { "Authorization": "Bearer <token>" },
# then re-fetch the schema (the round arrow on the left). Docs describes every field.

query Devices {
  viewer { tenant { slug } role }
  devices(first: 20) {
    totalCount
    edges { node { id endpoint status lastSeen temperature: resource(path: "/3303/0/5700") { value timestamp } } }
  }
}
`,
  headers: JSON.stringify({ Authorization: 'Bearer <token>' }, null, 2),
};

/** The bytes that a response writes before it waits for its client. */
const CHUNK = 64 * 1024;

/** The editor makes elements with inline styles and loads its fonts and images from data URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves GraphiQL at `path` for browsers (`Accept: text/html`) and its assets below `path`. The assets are compressed
 * once, for the first browser; all responses share the bytes and wait for slow clients.
 */
export function createGraphiql(path: string, options: GraphiqlOptions): Graphiql {
  const folder = `${path}/graphiql/`;
  let loading: Promise<ReadonlyMap<string, Asset>> | undefined;
  const load = (): Promise<ReadonlyMap<string, Asset>> =>
    (loading ??= assets(path, options).catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
  return {
    async answer(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return false;
      const at = (request.url ?? '').split('?', 1)[0] ?? '';
      const isPage = at === path && request.headers.accept?.includes('text/html') === true;
      if (!isPage && !at.startsWith(folder)) return false;
      const asset = (await load()).get(isPage ? '' : at.slice(folder.length));
      if (!asset) return false;
      await send(request, response, asset, isPage);
      return true;
    },
  };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, plain, compressed, etag }: Asset,
  isPage: boolean,
): Promise<void> {
  const isCompressed = acceptsGzip(String(request.headers['accept-encoding'] ?? ''));
  const bytes = isCompressed ? compressed : plain;
  response.setHeader('Content-Type', contentType);
  response.setHeader('ETag', etag);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  // The name of an asset contains its version; the page names the assets.
  response.setHeader('Cache-Control', isPage ? 'no-cache' : 'public, max-age=31536000, immutable');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('Referrer-Policy', 'no-referrer');
  if (request.headers['if-none-match']?.includes(etag) === true) return void response.writeHead(304).end();
  if (isCompressed) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', bytes.length).writeHead(200);
  if (request.method === 'HEAD') return void response.end();
  // The client may close the connection at any time.
  await pipeline(Readable.from(chunks(bytes)), response).catch(() => response.destroy());
}

/** RFC 9110 §12.5.3; `gzip;q=0` refuses it. */
function acceptsGzip(header: string): boolean {
  return header.split(',').some((coding) => {
    const [name = '', weight = ''] = coding.split(';').map((part) => part.trim().toLowerCase());
    return name === 'gzip' && !/^q=0(?:\.0*)?$/.test(weight);
  });
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function assets(path: string, options: GraphiqlOptions): Promise<ReadonlyMap<string, Asset>> {
  const texts = await import('@graphql-yoga/render-graphiql/graphiql');
  const version = createHash('sha256').update(texts.js).update(JSON.stringify(options)).digest('hex').slice(0, 16);
  const at = (name: string): string => `${path}/graphiql/${version}/${name}`;
  const script = 'text/javascript; charset=utf-8';
  const files: readonly (readonly [name: string, contentType: string, text: string])[] = [
    ['app.js', script, texts.js],
    ['start.js', script, startScript(at, options)],
    ['editor.js', script, texts.editorWorkerService],
    ['json.js', script, texts.jsonWorker],
    ['graphql.js', script, texts.graphqlWorker],
    ['style.css', 'text/css; charset=utf-8', texts.css],
  ];
  const made = new Map<string, Asset>();
  for (const [name, contentType, text] of files) made.set(`${version}/${name}`, await asset(contentType, text));
  made.set('', await asset('text/html; charset=utf-8', page(at, options.title, texts.favicon)));
  return made;
}

async function asset(contentType: string, text: string): Promise<Asset> {
  const plain = Buffer.from(text);
  const digest = createHash('sha256').update(plain).digest('hex');
  return { contentType, plain, compressed: await promisify(gzip)(plain), etag: `W/"${digest.slice(0, 32)}"` };
}

function page(at: (name: string) => string, title: string, favicon: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>${title}</title>
    <link rel="icon" href="${favicon}" />
    <link rel="stylesheet" href="${at('style.css')}" />
  </head>
  <body class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="${at('app.js')}"></script>
    <script src="${at('start.js')}"></script>
  </body>
</html>
`;
}

function startScript(at: (name: string) => string, { title, query, headers }: GraphiqlOptions): string {
  const workers = { editorWorkerService: at('editor.js'), json: at('json.js'), graphql: at('graphql.js') };
  const settings = { title, defaultQuery: query, headers, shouldPersistHeaders: false };
  return `const workers = ${JSON.stringify(workers)};
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (module, label) => workers[label] };
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), ${JSON.stringify(settings)});
`;
}
