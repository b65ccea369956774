/** How much the endpoint holds at most. Each bound says what happens when it is reached. */
export interface CoapLimits {
  /** Peers that something is known of. Idle ones make room; without any, a new peer's datagrams are dropped. */
  readonly peers: number;
  /** Message ids remembered per peer. Answered ones make room; without any, the message is dropped. */
  readonly recentMessagesPerPeer: number;
  /** Replies kept for duplicates, all together. Above it a duplicate is met with silence. */
  readonly replyBytes: number;
  /** One body, put together from blocks. Above it a peer gets 4.13, a caller CoapError LIMIT or PROTOCOL. */
  readonly bodyBytes: number;
  /** Bodies of peers' requests on their way in, all together. The one that waits longest makes room. */
  readonly uploadBytes: number;
  /** Bodies of our responses that peers read block by block, all together. The one that waits longest makes room. */
  readonly servedBytes: number;
  /** Bodies of responses and notifications on their way in, all together. Above it CoapError LIMIT. */
  readonly downloadBytes: number;
  /** Bodies held for one peer, in and out. The one that waits longest makes room. */
  readonly bodiesPerPeer: number;
  /** Requests and observations of ours. Above it CoapError LIMIT. */
  readonly tokens: number;
  /** Requests of ours that wait for one peer's turn. Above it CoapError LIMIT. */
  readonly waitingPerPeer: number;
  /** Requests of peers that a handler is at, all together. Above it 5.03. */
  readonly answering: number;
}

const MIB = 1024 * 1024;

export const defaultLimits: CoapLimits = {
  peers: 1_000_000,
  recentMessagesPerPeer: 64,
  replyBytes: 64 * MIB,
  bodyBytes: MIB,
  uploadBytes: 64 * MIB,
  servedBytes: 64 * MIB,
  downloadBytes: 64 * MIB,
  bodiesPerPeer: 8,
  tokens: 4_194_304,
  waitingPerPeer: 128,
  answering: 16_384,
};
