import type { Path, RegisteredObject } from '../../lwm2m/index.ts';
import type { Refusals } from './refusals.ts';
import { coveringWish, isRegistered, MOST_OBSERVATIONS, type WantedObservation } from './wanted.ts';

/** The state of a path that a subscription watches. */
export interface WatchState {
  readonly path: string;
  /**
   * WATCHING: the device reports its changes. WAITING: the device is asked when it can be asked. RETRYING: the device
   * could not start the observation or ended it, and is asked again at `nextTry`. REJECTED: the device refused it, or the
   * path has no value. NOT_ON_DEVICE: the device did not register the object or the instance. CANCELLED: a mutation
   * ended the observation.
   */
  readonly state: 'WATCHING' | 'WAITING' | 'RETRYING' | 'REJECTED' | 'NOT_ON_DEVICE' | 'CANCELLED';
  /** The CoAP code of the device's answer: `4.04`. Null when there is none. */
  readonly code: string | null;
  readonly message: string | null;
  readonly nextTry: Date | null;
}

/** The observations of a registered device. */
export interface WatchSource {
  readonly objects: readonly RegisteredObject[];
  readonly wanted: readonly WantedObservation[];
  /** The keys of the running observations. */
  readonly running: { has(key: string): boolean };
  readonly refused: Pick<Refusals, 'get'> | undefined;
  readonly cancelled: ReadonlySet<string>;
}

/** Returns the state of each path. `source` is null while the device is not registered. */
export function watchStates(paths: readonly Path[], source: WatchSource | null): WatchState[] {
  return paths.map((path) => ({ path: String(path), ...stateOf(path, source) }));
}

type State = Omit<WatchState, 'path'>;

const plain = (state: WatchState['state'], message: string | null = null): State => ({
  state,
  code: null,
  message,
  nextTry: null,
});

function stateOf(path: Path, source: WatchSource | null): State {
  if (source === null) return plain('WAITING', 'the device is not registered');
  const { objects, wanted, running, refused, cancelled } = source;
  if (!isRegistered(path, objects)) return plain('NOT_ON_DEVICE', `the device did not register ${path}`);
  const key = String(path);
  const wish = wanted.find((one) => one.key === key) ?? coveringWish(path, wanted);
  if (!wish && cancelled.has(key)) return plain('CANCELLED');
  if (!wish) return plain('WAITING', `the device has ${MOST_OBSERVATIONS} observations, the limit`);
  if (running.has(wish.key)) return plain('WATCHING');
  const refusal = refused?.get(wish.key);
  if (!refusal) return plain('WAITING');
  const { code, message, nextTry } = refusal;
  if (nextTry === null) return { state: 'REJECTED', code, message, nextTry };
  return { state: 'RETRYING', code, message, nextTry: new Date(nextTry) };
}
