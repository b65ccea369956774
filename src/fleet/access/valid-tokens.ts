import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import type { AccessEvents } from './access-events.ts';
import type { Actor } from './actor.ts';

/** How long a valid token is accepted without a look at the database. */
const VALID_MS = 5_000;
/** Most tokens that are remembered. At the limit, the oldest is forgotten. */
const REMEMBERED = 10_000;

/**
 * The actors of tokens that were valid in the last seconds, by the hash of the token. A revocation, also one of another
 * process, removes the key's entry.
 */
export class ValidTokens {
  readonly #clock: Clock;
  readonly #actors = new Map<string, { readonly actor: Actor; readonly since: number }>();
  /** Changes with each revocation: a look-up that began before it is not remembered. */
  #revocations = 0;

  constructor(bus: EventBus<AccessEvents>, clock: Clock) {
    this.#clock = clock;
    const events = bus.subscribe('keyRevoked', null);
    void (async () => {
      for await (const event of events) this.revoke(event.kind === 'event' ? event.value.keyId : null);
    })();
  }

  /** Resolves with the actor that is remembered for the hash, else with that of `find`. */
  async actorOf(hash: string, find: () => Promise<Actor | null>): Promise<Actor | null> {
    const known = this.#actors.get(hash);
    const age = known ? this.#clock.now() - known.since : VALID_MS;
    // A negative age: the clock was set back.
    if (known && age >= 0 && age < VALID_MS) return known.actor;
    this.#actors.delete(hash);
    const before = this.#revocations;
    const since = this.#clock.now();
    const actor = await find();
    if (actor !== null && before === this.#revocations) {
      const oldest = this.#actors.size < REMEMBERED ? undefined : this.#actors.keys().next().value;
      if (oldest !== undefined) this.#actors.delete(oldest);
      this.#actors.set(hash, { actor, since });
    }
    return actor;
  }

  /** Forgets the tokens of the key; null: of all keys, because events were missed. */
  revoke(keyId: string | null): void {
    this.#revocations++;
    if (keyId === null) this.#actors.clear();
    for (const [hash, { actor }] of this.#actors) if (actor.keyId === keyId) this.#actors.delete(hash);
  }
}
