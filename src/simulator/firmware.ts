import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Path } from '../lwm2m/index.ts';
import { DEVICE, FIRMWARE } from './objects.ts';
import { notAllowed } from './refusal.ts';
import type { ResourceTree } from './resource-tree.ts';
import { integer, numberOf, opaque, text, time } from './typed.ts';

/** /5/0/3 */
const State = { idle: 0, downloading: 1, downloaded: 2, updating: 3 } as const;
/** /5/0/5 */
const Result = {
  initial: 0,
  success: 1,
  noFlash: 2,
  noMemory: 3,
  connectionLost: 4,
  integrity: 5,
  packageType: 6,
  uri: 7,
  updateFailed: 8,
  protocol: 9,
  cancelled: 10,
} as const;

const FLASH_BYTES = 1024 * 1024;
const FLASHING_MS = 2_000;
const MAGIC = 'treeline-firmware';

/** The requirements of a firmware package. */
export interface FirmwareNeeds {
  /** Bytes of memory needed to unpack it. */
  readonly memory?: number;
  /** The hardware version that it requires (/3/0/18). */
  readonly hardware?: string;
}

interface Package {
  readonly version: string;
  readonly memory: number;
  readonly hardware: string | null;
}

/**
 * Makes a firmware package for the simulated device: a line with the version, the SHA-256 of the image and the
 * requirements (`memory=65536 hardware=1.0`), then the image.
 */
export function firmwarePackage(version: string, image: Uint8Array, needs: FirmwareNeeds = {}): Uint8Array {
  const words = [MAGIC, version, digest(image), ...Object.entries(needs).map(([name, value]) => `${name}=${value}`)];
  return Buffer.concat([Buffer.from(`${words.join(' ')}\n`), image]);
}

/** The Firmware Update object's state machine (Core 1.2 Appendix E.6). */
export class Firmware {
  readonly #tree: ResourceTree;
  readonly #clock: Clock;
  readonly #reboot: () => void;
  #pending: Package | null = null;

  /** `reboot` restarts the device with the flashed firmware. */
  constructor(tree: ResourceTree, clock: Clock, reboot: () => void) {
    this.#tree = tree;
    this.#clock = clock;
    this.#reboot = reboot;
  }

  /** Handles a Write of Package. An empty package or a single NUL byte resets the state machine. */
  packageWritten(): void {
    const written = this.#tree.value(at(FIRMWARE.package));
    const image = written?.type === 'Opaque' ? written.value : new Uint8Array();
    if (image.length === 0 || (image.length === 1 && image[0] === 0)) return this.#idle(Result.initial);
    this.#downloaded(image);
  }

  /** Handles a Write of Package URI: downloads the package over HTTP. An empty URI resets the state machine. */
  async uriWritten(): Promise<void> {
    const written = this.#tree.value(at(FIRMWARE.uri));
    const uri = written?.type === 'String' ? written.value : '';
    if (uri === '') return this.#idle(Result.initial);
    if (!URL.canParse(uri)) return this.#idle(Result.uri);
    if (!/^https?:/.test(uri)) return this.#idle(Result.protocol);
    this.#enter(State.downloading, Result.initial);
    const fetched = await download(uri);
    if (this.#state !== State.downloading) return;
    if (typeof fetched === 'number') this.#idle(fetched);
    else this.#downloaded(fetched);
  }

  /** Handles an Execute of Update. Only a downloaded package can be flashed. */
  update(): void {
    if (this.#state !== State.downloaded || this.#pending === null)
      throw notAllowed('no firmware package is downloaded');
    const { version, hardware } = this.#pending;
    this.#enter(State.updating, Result.initial);
    this.#clock.after(FLASHING_MS, () => {
      // Core 1.2 Appendix E.6: the package stays after a failed update.
      if (hardware !== null && hardware !== this.#hardware) return this.#enter(State.downloaded, Result.updateFailed);
      this.#tree.set(Path.of(3, 0, DEVICE.firmwareVersion), text(version));
      this.#tree.set(at(FIRMWARE.version), text(version));
      this.#idle(Result.success);
      this.#reboot();
    });
  }

  cancel(): void {
    if (this.#state === State.updating) throw notAllowed('the update has already started');
    this.#idle(Result.cancelled);
  }

  get #state(): number | undefined {
    const value = this.#tree.value(at(FIRMWARE.state));
    return value?.type === 'Integer' ? Number(value.value) : undefined;
  }

  get #hardware(): string {
    const value = this.#tree.value(Path.of(3, 0, DEVICE.hardwareVersion));
    return value?.type === 'String' ? value.value : '';
  }

  get #freeMemory(): number {
    return (numberOf(this.#tree.value(Path.of(3, 0, DEVICE.memoryFree))) ?? 0) * 1000;
  }

  #downloaded(image: Uint8Array): void {
    if (image.length > FLASH_BYTES) return this.#idle(Result.noFlash);
    const parsed = parsePackage(image);
    if (typeof parsed === 'number') return this.#idle(parsed);
    if (parsed.memory > this.#freeMemory) return this.#idle(Result.noMemory);
    this.#pending = parsed;
    this.#enter(State.downloaded, Result.initial);
  }

  #idle(result: number): void {
    this.#pending = null;
    this.#tree.set(at(FIRMWARE.package), opaque(new Uint8Array()));
    this.#enter(State.idle, result);
  }

  #enter(state: number, result: number): void {
    this.#tree.set(at(FIRMWARE.state), integer(state));
    this.#tree.set(at(FIRMWARE.result), integer(result));
    if (this.#tree.has(at(FIRMWARE.changed))) this.#tree.set(at(FIRMWARE.changed), time(this.#clock.now() / 1000));
  }
}

function at(resourceId: number): Path {
  return Path.of(5, 0, resourceId);
}

/** Parses a package; returns a value of Update Result (/5/0/5) when it is invalid. */
function parsePackage(bytes: Uint8Array): Package | number {
  const end = bytes.indexOf(0x0a);
  const [magic, version, sha256, ...needs] = Buffer.from(bytes.subarray(0, end)).toString('latin1').split(' ');
  if (end === -1 || magic !== MAGIC || version === undefined) return Result.packageType;
  if (digest(bytes.subarray(end + 1)) !== sha256) return Result.integrity;
  const named = new Map(needs.map((need): [string, string] => [need.split('=')[0] ?? '', need.split('=')[1] ?? '']));
  return { version, memory: Number(named.get('memory') ?? 0), hardware: named.get('hardware') ?? null };
}

async function download(uri: string): Promise<Uint8Array | number> {
  try {
    const response = await fetch(uri);
    if (!response.ok || response.body === null) return Result.uri;
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > FLASH_BYTES) return Result.noFlash;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return Result.connectionLost;
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
