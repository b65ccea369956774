import { createHash } from 'node:crypto';

import { storable } from '../fleet/index.ts';
import type { deadLetters } from '../store/index.ts';
import type { Counting } from './counters.ts';

type Letter = typeof deadLetters.$inferInsert;

/** The first bytes of a letter that are kept; the rest is represented by its size and its hash. */
export const LARGEST_LETTER = 4 * 1024;
/** The newest dead letters of a tenant that are kept, by number and by bytes. Retention deletes the others. */
export const MOST_LETTERS = 10_000;
export const MOST_LETTER_BYTES = 16 * 1024 * 1024;
/** What one device can add in a window: it must not push out the letters of the other devices. */
const MOST_OF_DEVICE = 500;
const MOST_BYTES_OF_DEVICE = 1024 * 1024;
/** Retention sweeps as often. */
const WINDOW_MS = 10 * 60_000;
const LONGEST_TEXT = 500;

/**
 * Makes the row of a dead letter: texts are made storable and limited; of large bytes it keeps the head, the original
 * size and the SHA-256 hash of all of them.
 */
export function letterOf(letter: Omit<Letter, 'size' | 'sha256'>): Letter {
  const { path, reason, bytes } = letter;
  const texts = { path: shortened(path), reason: shortened(reason) };
  if (bytes.length <= LARGEST_LETTER) return { ...letter, ...texts, size: null, sha256: null };
  return {
    ...letter,
    ...texts,
    bytes: bytes.slice(0, LARGEST_LETTER),
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest(),
  };
}

interface Used {
  letters: number;
  bytes: number;
}

interface UsedByTenant extends Used {
  readonly devices: Map<string, Used>;
}

/** Limits how many dead letters are added between two sweeps of retention. What exceeds a limit is only counted. */
export class LetterBudget {
  readonly #counting: Counting;
  #until = 0;
  readonly #tenants = new Map<string, UsedByTenant>();

  constructor(counting: Counting) {
    this.#counting = counting;
  }

  /** Returns the letters that may be stored at the time `now`. */
  allowed(letters: readonly Letter[], now: number): Letter[] {
    if (now >= this.#until) {
      this.#tenants.clear();
      this.#until = now + WINDOW_MS;
    }
    return letters.filter((letter) => this.#take(letter));
  }

  #take({ tenantId, deviceId, bytes }: Letter): boolean {
    const { lettersNotStored } = this.#counting;
    const tenant = this.#tenants.get(tenantId) ?? { letters: 0, bytes: 0, devices: new Map<string, Used>() };
    this.#tenants.set(tenantId, tenant);
    if (!fits(tenant, bytes.length, MOST_LETTERS, MOST_LETTER_BYTES)) {
      lettersNotStored.tenant++;
      return false;
    }
    const device = tenant.devices.get(deviceId) ?? { letters: 0, bytes: 0 };
    if (!fits(device, bytes.length, MOST_OF_DEVICE, MOST_BYTES_OF_DEVICE)) {
      lettersNotStored.device++;
      return false;
    }
    tenant.devices.set(deviceId, device);
    for (const used of [tenant, device]) {
      used.letters++;
      used.bytes += bytes.length;
    }
    return true;
  }
}

function fits(used: Used, bytes: number, mostLetters: number, mostBytes: number): boolean {
  return used.letters < mostLetters && used.bytes + bytes <= mostBytes;
}

/** A text that a device can influence, in a form and a length that can be stored. */
function shortened(text: string): string {
  return storable(text.slice(0, LONGEST_TEXT));
}
