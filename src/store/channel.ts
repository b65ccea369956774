import type { Client } from 'pg';

import type { Clock, Timer } from '../clock.ts';
import type { DatabaseLocation } from './owner.ts';
import { within } from './deadline.ts';
import { connectPostgres } from './postgres.ts';

/** The name of the channel of NOTIFY. */
const NAME = 'treeline';
/** PostgreSQL refuses a payload of 8000 bytes or more. */
export const LONGEST_MESSAGE = 7_999;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** How often the connection is checked: a peer that vanished closes no socket. */
const CHECK_MS = 10_000;
const CHECK_TIMEOUT_MS = 5_000;
const CLOSE_MS = 1_000;

/** Sends short messages to all processes on one database, and receives those of the others. */
export interface Channel {
  /**
   * Sends a message of at most LONGEST_MESSAGE bytes. Rejects when the connection is lost: the others miss the message,
   * so each message must only speed up what they find out anyway.
   */
  send(message: string): Promise<void>;
  snapshot(): ChannelSnapshot;
  close(): Promise<void>;
}

/** Values for the metrics. */
export interface ChannelSnapshot {
  /**
   * Whether messages are heard. Always true for the embedded database, which has one process; false through a
   * connection pooler, which passes no messages on.
   */
  readonly connected: boolean;
  readonly sent: number;
  readonly received: number;
  /** How often the connection was lost. */
  readonly lost: number;
}

export interface ChannelOptions {
  readonly database: DatabaseLocation;
  readonly clock: Clock;
  /** Called with every message, also with those of this process. It must not throw. */
  readonly onMessage: (message: string) => void;
  /** Called when the channel is connected, at first and again: messages before that may have been missed. */
  readonly onConnected: () => void;
  /** Called when the connection was lost or refused. The channel connects again, after 0.1 to 5 seconds. */
  readonly onLost: (error: Error) => void;
}

/**
 * Opens the channel of a database: LISTEN on a connection of its own. The embedded database has
 * one process, so its channel sends nothing.
 */
export function openChannel(options: ChannelOptions): Channel {
  const { database } = options;
  return database.kind === 'embedded' ? SILENT : new PostgresChannel(database.url, options);
}

const SILENT: Channel = {
  send: async () => {},
  snapshot: () => ({ connected: true, sent: 0, received: 0, lost: 0 }),
  close: async () => {},
};

class PostgresChannel implements Channel {
  readonly #url: string;
  readonly #options: ChannelOptions;
  #client: Client | null = null;
  #connected = false;
  #closed = false;
  #delay = FIRST_DELAY_MS;
  #timer: Timer | null = null;
  #sent = 0;
  #received = 0;
  #lost = 0;

  constructor(url: string, options: ChannelOptions) {
    this.#url = url;
    this.#options = options;
    void this.#connect();
  }

  async send(message: string): Promise<void> {
    const client = this.#client;
    if (!client) throw new Error('the channel between the processes is not connected');
    await client.query('select pg_notify($1, $2)', [NAME, message]);
    this.#sent++;
  }

  snapshot(): ChannelSnapshot {
    return { connected: this.#connected, sent: this.#sent, received: this.#received, lost: this.#lost };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connected = false;
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = null;
    // A server that has stopped never confirms the end.
    if (client !== null) await within(this.#options.clock, CLOSE_MS, () => client.end()).catch(() => {});
  }

  async #connect(): Promise<void> {
    let client: Client | null = null;
    try {
      const opened = await connectPostgres(this.#url, CHECK_TIMEOUT_MS);
      client = opened.client;
      if (this.#closed) return void client.end().catch(() => {});
      this.#client = client;
      this.#listen(client);
      // A pooler gives the connection that listens to other sessions: this one only sends.
      if (!opened.route.pooled) await client.query(`listen ${NAME}`);
      if (this.#client !== client) return;
      this.#connected = !opened.route.pooled;
    } catch (error) {
      return this.#disconnected(client, error instanceof Error ? error : new Error(String(error)));
    }
    this.#delay = FIRST_DELAY_MS;
    this.#check(client);
    this.#options.onConnected();
  }

  #listen(client: Client): void {
    client.on('error', (error) => this.#disconnected(client, error));
    client.on('end', () => this.#disconnected(client, new Error('the connection ended')));
    client.on('notification', ({ payload }) => {
      this.#received++;
      this.#options.onMessage(payload ?? '');
    });
  }

  #check(client: Client): void {
    this.#timer = this.#options.clock.after(CHECK_MS, async () => {
      try {
        await client.query('select 1');
      } catch (error) {
        return this.#disconnected(client, error instanceof Error ? error : new Error(String(error)));
      }
      if (this.#client === client) this.#check(client);
    });
  }

  /** `client` is null when there was no connection. */
  #disconnected(client: Client | null, error: Error): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = null;
    if (this.#connected) this.#lost++;
    this.#connected = false;
    this.#timer?.cancel();
    client?.end().catch(() => {});
    this.#options.onLost(error);
    this.#timer = this.#options.clock.after(this.#delay, () => void this.#connect());
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
  }
}
