import { append, without } from './list.ts';
import type { PeerState, TurnTaker } from './peer.ts';

/**
 * RFC 7252 §4.7: at most NSTART interactions are outstanding to a peer; the others wait, in order. A response of ours is
 * no interaction that we began, so it never waits here: a peer that can do one thing at a time would wait for us.
 */
export function askTurn(state: PeerState, taker: TurnTaker, nstart: number): void {
  if (state.turns < nstart) {
    state.turns++;
    taker.takeTurn();
  } else state.waiting = append(state.waiting, taker);
}

/** The next block of a body goes before other requests: the peer may not hold two bodies. */
export function askTurnFirst(state: PeerState, taker: TurnTaker, nstart: number): void {
  if (state.turns < nstart) askTurn(state, taker, nstart);
  else state.waiting = [taker, ...state.waiting];
}

export function endTurn(state: PeerState): void {
  state.turns--;
  const next = state.waiting[0];
  if (!next) return;
  state.waiting = without(state.waiting, next);
  state.turns++;
  next.takeTurn();
}

export function withdraw(state: PeerState, taker: TurnTaker): void {
  state.waiting = without(state.waiting, taker);
}
