import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';

import type { Clock } from '../clock.ts';
import type { Address } from './address.ts';
import { Channel, type ChannelState } from './channel.ts';
import type { DtlsEngine } from './engine.ts';
import { DtlsError } from './error.ts';
import type { LookUps } from './look-ups.ts';
import { protectionOf } from './protection.ts';
import type { Resumable } from './resumption.ts';
import { Session, type SessionParts } from './session.ts';
import { lasting } from './wire.ts';

const FORMAT = 2;
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** The age limit of saved sessions. After a longer stop, the devices have started new handshakes. */
const MAX_AGE_MS = 15 * 60_000;
/** Concurrent credential look-ups. */
const AT_A_TIME = 32;

interface SavedSession {
  readonly parts: Omit<SessionParts, 'channel'>;
  readonly channel: ChannelState;
  readonly address: Address;
  readonly isProven: boolean;
  readonly activeAt: number;
}

interface Saved {
  readonly format: typeof FORMAT;
  readonly sessions: readonly SavedSession[];
  readonly resumables: readonly Resumable[];
}

export interface Restored {
  readonly restored: number;
  /** The number of sessions with a credential that is gone, has changed or could not be looked up. */
  readonly refused: number;
}

/** Returns the open and resumable sessions, sealed with AES-256-GCM. The engine must not send afterwards. */
export function saveSessions(engine: DtlsEngine, key: Uint8Array, now: number): Buffer {
  checkKey(key);
  const saved: Saved = {
    format: FORMAT,
    sessions: [...engine.sessions.all()].map(savedSession),
    resumables: [...engine.resumables.all()],
  };
  const nonce = randomBytes(NONCE_LENGTH);
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(now));
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(head);
  const body = cipher.update(serialize(saved));
  return Buffer.concat([head, nonce, body, cipher.final(), cipher.getAuthTag()]);
}

/** Throws DtlsError `saved_sessions` when `bytes` does not come from `saveSessions` with this key, or is too old. */
export async function restoreSessions(
  engine: DtlsEngine,
  bytes: Uint8Array,
  key: Uint8Array,
  clock: Clock,
): Promise<Restored> {
  const saved = openSaved(Buffer.from(bytes), key, clock.now());
  const sessions = await stillHolding(saved.sessions, engine.lookUps);
  for (const saved of sessions) engine.sessions.open(restoredSession(saved));
  // Their credentials are checked when the device resumes them.
  for (const resumable of saved.resumables) engine.resumables.keep(resumable);
  return { restored: sessions.length, refused: saved.sessions.length - sessions.length };
}

function savedSession(session: Session): SavedSession {
  const { channel, ...parts } = session.parts;
  const { address, isProven } = session.path;
  return { parts, channel: channel.state, address, isProven, activeAt: session.activeAt };
}

function restoredSession({ parts, channel, address, isProven, activeAt }: SavedSession): Session {
  const protection = protectionOf(parts.suite, parts.encryptThenMac);
  const session = new Session({ ...parts, channel: new Channel(protection, channel) }, address, activeAt, null);
  // The remaining allowance is not saved: the next record from this address gives a new one.
  if (!isProven) session.moveTo(address);
  return session;
}

/** Copies each buffer in `value`: deserialized buffers are views that would keep the keys of all sessions in memory. */
function ownBuffers(value: object): void {
  for (const [name, entry] of Object.entries(value)) {
    if (Buffer.isBuffer(entry)) Object.assign(value, { [name]: lasting(entry) });
    else if (typeof entry === 'object' && entry !== null) ownBuffers(entry);
  }
}

function openSaved(bytes: Buffer, key: Uint8Array, now: number): Saved {
  checkKey(key);
  const [head, nonce] = [bytes.subarray(0, 8), bytes.subarray(8, 8 + NONCE_LENGTH)];
  const body = bytes.subarray(8 + NONCE_LENGTH, -TAG_LENGTH);
  let saved: Saved;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(head).setAuthTag(bytes.subarray(-TAG_LENGTH));
    // The tag is verified, so the content comes from saveSessions.
    saved = deserialize(Buffer.concat([decipher.update(body), decipher.final()])) as Saved;
  } catch (cause) {
    throw new DtlsError('saved_sessions', "the saved sessions can't be read with this key", { cause });
  }
  if (saved.format !== FORMAT)
    throw new DtlsError(
      'saved_sessions',
      `the saved sessions have format ${saved.format}; this server reads format ${FORMAT}`,
    );
  if (now - Number(head.readBigUInt64BE()) > MAX_AGE_MS) {
    throw new DtlsError('saved_sessions', 'the saved sessions are too old');
  }
  ownBuffers(saved);
  return saved;
}

/** Returns the sessions with a valid credential, in the same order. */
async function stillHolding(sessions: readonly SavedSession[], lookUps: LookUps): Promise<SavedSession[]> {
  const holding: SavedSession[] = [];
  for (let start = 0; start < sessions.length; start += AT_A_TIME) {
    const batch = sessions.slice(start, start + AT_A_TIME);
    const answers = await Promise.all(
      batch.map(({ parts }) => lookUps.stillHolds(parts.proof, parts.identity.credential, 'server').catch(() => false)),
    );
    holding.push(...batch.filter((_, i) => answers[i]));
  }
  return holding;
}

function checkKey(key: Uint8Array): void {
  if (key.length !== KEY_LENGTH) throw new DtlsError('saved_sessions', `the key must have ${KEY_LENGTH} bytes`);
}
