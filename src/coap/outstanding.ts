import { append, without } from './list.ts';
import type { PeerState, WaitingRequest } from './peer.ts';

/**
 * RFC 7252 §4.7: at most NSTART interactions with a peer are outstanding; further requests wait in order. Only requests
 * wait, never responses: a peer that handles one request at a time would wait for the response in the meantime.
 */
export function startOrWait(state: PeerState, request: WaitingRequest, nstart: number): void {
  if (state.outstanding < nstart) {
    state.outstanding++;
    request.start();
  } else state.waiting = append(state.waiting, request);
}

/** Puts the next block of a body before the other waiting requests: the peer may be unable to keep two bodies. */
export function startOrWaitFirst(state: PeerState, request: WaitingRequest, nstart: number): void {
  if (state.outstanding < nstart) startOrWait(state, request, nstart);
  else state.waiting = [request, ...state.waiting];
}

/** Frees the place of one interaction and starts the request that waits first. */
export function endInteraction(state: PeerState): void {
  state.outstanding--;
  const next = state.waiting[0];
  if (!next) return;
  state.waiting = without(state.waiting, next);
  state.outstanding++;
  next.start();
}

/** Removes a request that still waits. */
export function withdraw(state: PeerState, request: WaitingRequest): void {
  state.waiting = without(state.waiting, request);
}
