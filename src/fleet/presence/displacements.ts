import type { Registration } from '../../lwm2m/index.ts';
import type { DeviceKey } from '../devices/index.ts';

/** So many returns in the window are a problem; one device that changes its network may return once or twice. */
const MOST_RETURNS = 3;
const WINDOW_MS = 24 * 3_600_000;

type Place = Pick<Registration['peer'], 'address' | 'port'>;

interface Moves {
  /** The place before the present one. */
  former: Place | null;
  /** When the registration returned to its former place, at most `MOST_RETURNS` times. */
  returns: number[];
}

/**
 * Finds registrations that move back and forth between two places: two live devices with one endpoint name displace
 * each other. It has an entry for each registered device that has moved.
 */
export class Displacements {
  readonly #byDevice = new Map<DeviceKey, Moves>();

  /**
   * Notes that the registration moved from one peer to another. Returns true if it has returned to its former place at
   * least three times within a day, this time included.
   */
  moved(key: DeviceKey, before: Place, after: Place, at: number): boolean {
    if (before.address === after.address && before.port === after.port) return false;
    const moves = this.#byDevice.get(key) ?? { former: null, returns: [] };
    this.#byDevice.set(key, moves);
    const returned = moves.former !== null && isReturn(moves.former, before, after);
    moves.former = { address: before.address, port: before.port };
    if (!returned) return false;
    moves.returns = [...moves.returns.filter((time) => time > at - WINDOW_MS), at].slice(-MOST_RETURNS);
    return moves.returns.length === MOST_RETURNS;
  }

  forget(key: DeviceKey): void {
    this.#byDevice.delete(key);
  }
}

/** True also for another port at the former address: a new DTLS session may have a new port. */
function isReturn(former: Place, before: Place, after: Place): boolean {
  return former.address === after.address && (former.port === after.port || after.address !== before.address);
}
