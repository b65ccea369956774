import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { PeerProcess } from './process.ts';
import { program, SYSTEM_DIRECTORIES } from './program.ts';

export type ProxyName = 'nginx' | 'caddy';

/** The public name in the examples of docs/operations.md. */
export const HOST = 'api.example.com';

const OPERATIONS = join(import.meta.dirname, '../../../docs/operations.md');

/**
 * A proxy with the example of docs/operations.md, on a port of the loopback. Only ports and paths of certificates
 * differ from the document; what surrounds the example keeps the proxy in a temporary folder.
 */
export class Proxy {
  readonly port: number;
  /** PEM of the certificate that its clients must trust. */
  readonly authority: string;
  readonly #process: PeerProcess;
  readonly #directory: string;

  private constructor(port: number, authority: string, process: PeerProcess, directory: string) {
    this.port = port;
    this.authority = authority;
    this.#process = process;
    this.#directory = directory;
  }

  /** `serverPort`: where the API listens. */
  static async start(name: ProxyName, serverPort: number): Promise<Proxy> {
    const path = program(name, SYSTEM_DIRECTORIES);
    if (path === null) throw new Error(`no ${name}: run scripts/peers/${name}.sh`);
    const directory = await mkdtemp(join(tmpdir(), `treeline-${name}-`));
    const port = await freePort();
    const example = replaced(await exampleOf(name), '127.0.0.1:4000', `127.0.0.1:${serverPort}`);
    const start = name === 'nginx' ? startNginx : startCaddy;
    const { process, authorityFile } = await start(path, directory, port, example);
    return new Proxy(port, await readFile(authorityFile, 'utf8'), process, directory);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

interface Started {
  readonly process: PeerProcess;
  readonly authorityFile: string;
}

async function startNginx(path: string, directory: string, port: number, example: string): Promise<Started> {
  const certificate = join(directory, 'certificate.pem');
  const key = join(directory, 'certificate.key');
  const subject = `-subj /CN=${HOST} -addext subjectAltName=DNS:${HOST}`;
  const options = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ${subject}`;
  await promisify(execFile)('openssl', [...options.split(' '), '-keyout', key, '-out', certificate]);
  let server = replaced(example, 'listen 443 ssl', `listen 127.0.0.1:${port} ssl`);
  server = replaced(server, `/etc/ssl/${HOST}.pem`, certificate);
  server = replaced(server, `/etc/ssl/${HOST}.key`, key);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${join(directory, what)};`,
  );
  const file = join(directory, 'nginx.conf');
  // Without a master process, nginx stays in the foreground as the user who starts it.
  await writeFile(
    file,
    `daemon off;
master_process off;
pid ${join(directory, 'nginx.pid')};
error_log stderr notice;
events {}
http {
access_log off;
${temporary.join('\n')}
${server}
}
`,
  );
  const process = new PeerProcess('nginx', path, ['-e', 'stderr', '-p', directory, '-c', file]);
  // It listens before this line.
  await process.waitFor(/getrlimit|start worker processes/);
  return { process, authorityFile: certificate };
}

async function startCaddy(path: string, directory: string, port: number, example: string): Promise<Started> {
  const file = join(directory, 'Caddyfile');
  // Its own authority replaces the public one; HTTP/3 would need the UDP port too.
  await writeFile(
    file,
    `{
  admin off
  storage file_system ${directory}
  local_certs
  skip_install_trust
  auto_https disable_redirects
  https_port ${port}
  default_bind 127.0.0.1
  servers {
    protocols h1 h2
  }
}
${example}`,
  );
  const environment = {
    ...globalThis.process.env,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    XDG_DATA_HOME: directory,
  };
  const process = new PeerProcess('caddy', path, ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: environment,
  });
  await Promise.all([process.waitFor(/certificate obtained successfully/), process.waitFor(/serving initial config/)]);
  return { process, authorityFile: join(directory, 'pki/authorities/local/root.crt') };
}

/** The example of docs/operations.md for this proxy: its only block of code in this language. */
async function exampleOf(name: ProxyName): Promise<string> {
  const document = await readFile(OPERATIONS, 'utf8');
  const [block, ...others] = document.matchAll(new RegExp(`^\`\`\`${name}\\n(.*?)^\`\`\`$`, 'gms'));
  if (block?.[1] === undefined || others.length > 0) throw new Error(`docs/operations.md needs one block of ${name}`);
  return block[1];
}

/** Replaces a text that must be there, so that the test follows the document. */
function replaced(text: string, old: string, value: string): string {
  if (!text.includes(old)) throw new Error(`"${old}" is not in the example of docs/operations.md:\n${text}`);
  return text.replaceAll(old, value);
}
