/** The limits of an endpoint, and what happens when each is reached. */
export interface CoapLimits {
  /**
   * Known peers. To make room, the oldest stranger of the network with the most strangers is removed, or without one the
   * peer that was idle for longest; when all are busy, datagrams of new peers are dropped. A stranger is a peer without
   * security that has not answered a request yet, so its address may be forged. For networks, see `networkOf`.
   */
  readonly peers: number;
  /** Strangers of one network. The oldest one is removed to make room. */
  readonly strangersPerNetwork: number;
  /** Message IDs kept per peer. An answered one is removed to make room; when none is, the message is dropped. */
  readonly recentMessagesPerPeer: number;
  /** Replies kept for duplicates, over all peers. Strangers are removed to make room; else duplicates get no answer. */
  readonly replyBytes: number;
  /** One assembled body. Above it, a peer's request is answered 4.13 and a caller gets CoapError PROTOCOL. */
  readonly bodyBytes: number;
  /** Bodies of incoming requests, over all peers. To make room, bodies are removed as for `bodies`. */
  readonly uploadBytes: number;
  /** Bodies of outgoing responses, over all peers. To make room, bodies are removed as for `bodies`. */
  readonly servedBytes: number;
  /** Bodies of incoming responses and notifications, over all peers. Above it, the caller gets CoapError LIMIT. */
  readonly downloadBytes: number;
  /**
   * Bodies in each direction. To make room, the body that was idle for longest is removed: that of a stranger of the
   * network with the most such bodies, or without one that of any peer.
   */
  readonly bodies: number;
  /** Bodies of the strangers of one network in each direction. The one that was idle for longest is removed. */
  readonly bodiesPerNetwork: number;
  /** Bodies per peer, in both directions. The one that was idle for longest is removed to make room. */
  readonly bodiesPerPeer: number;
  /** Outgoing requests and observations. Above it, the caller gets CoapError LIMIT. */
  readonly tokens: number;
  /** Outgoing requests that wait for one peer (NSTART). Above it, the caller gets CoapError LIMIT. */
  readonly waitingPerPeer: number;
  /** Requests that handlers are processing, over all peers. Above it, a request is answered 5.03. */
  readonly answering: number;
  /** Messages that are held before the endpoint is open, in bytes. Above it, messages are dropped. */
  readonly heldBytes: number;
}

const MIB = 1024 * 1024;

export const defaultLimits: CoapLimits = {
  peers: 1_000_000,
  strangersPerNetwork: 16_384,
  recentMessagesPerPeer: 64,
  replyBytes: 64 * MIB,
  bodyBytes: MIB,
  uploadBytes: 64 * MIB,
  servedBytes: 64 * MIB,
  downloadBytes: 64 * MIB,
  bodies: 65_536,
  bodiesPerNetwork: 1_024,
  bodiesPerPeer: 8,
  tokens: 4_194_304,
  waitingPerPeer: 128,
  answering: 16_384,
  heldBytes: 32 * MIB,
};
