/**
 * Removes surplus ReadyForQuery messages from the end of an answer. PostgreSQL answers each Query and each Sync with
 * one ReadyForQuery (PostgreSQL manual, Message Flow, "Extended Query"). PGlite 0.5 sends one more after an error in
 * the extended protocol, so that `pg` would assign every later answer to the wrong statement.
 *
 * Both arguments are whole messages of the wire protocol, without the start-up message, which has no type byte.
 */
export function oneReadyForQueryEach(request: Uint8Array, answer: Uint8Array): Uint8Array {
  const due = count(request, QUERY) + count(request, SYNC);
  const surplus = count(answer, READY_FOR_QUERY) - due;
  return surplus > 0 ? answer.slice(0, answer.length - surplus * READY_FOR_QUERY_LENGTH) : answer;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
/** One byte of type, four of length, one of transaction status. */
const READY_FOR_QUERY_LENGTH = 6;

/** Counts the messages of a type. A message starts with its type (one byte) and its length (four, which count too). */
function count(messages: Uint8Array, type: number): number {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength);
  let found = 0;
  for (let at = 0; at + 5 <= messages.length; at += 1 + view.getUint32(at + 1)) {
    if (messages[at] === type) found++;
  }
  return found;
}
