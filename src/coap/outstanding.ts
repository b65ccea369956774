import { append, without } from './list.ts';
import type { PeerState, WaitingRequest } from './peer.ts';

/**
 * RFC 7252 §4.7: at most NSTART interactions are outstanding to a peer; the others wait, in order. A response of ours is
 * no interaction that we began, so it never waits here: a peer that can do one thing at a time would wait for us.
 */
export function startOrWait(state: PeerState, request: WaitingRequest, nstart: number): void {
  if (state.outstanding < nstart) {
    state.outstanding++;
    request.start();
  } else state.waiting = append(state.waiting, request);
}

/** The next block of a body goes before other requests: the peer may not hold two bodies. */
export function startOrWaitFirst(state: PeerState, request: WaitingRequest, nstart: number): void {
  if (state.outstanding < nstart) startOrWait(state, request, nstart);
  else state.waiting = [request, ...state.waiting];
}

export function endInteraction(state: PeerState): void {
  state.outstanding--;
  const next = state.waiting[0];
  if (!next) return;
  state.waiting = without(state.waiting, next);
  state.outstanding++;
  next.start();
}

export function withdraw(state: PeerState, request: WaitingRequest): void {
  state.waiting = without(state.waiting, request);
}
