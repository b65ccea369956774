/**
 * PostgreSQL answers each Query and each Sync with one ReadyForQuery (PostgreSQL manual, Message Flow, "Extended
 * Query"). PGlite 0.5 sends one more after an error in the extended protocol, which would make `pg` take the next
 * statement's answer for the one after it. This gives the answer without what is too many; they stand at its end.
 *
 * Both arguments are whole messages of the wire protocol, none of them the start-up message, which has no type.
 */
export function oneReadyForQueryEach(request: Uint8Array, answer: Uint8Array): Uint8Array {
  const due = count(request, QUERY) + count(request, SYNC);
  const surplus = count(answer, READY_FOR_QUERY) - due;
  return surplus > 0 ? answer.slice(0, answer.length - surplus * READY_FOR_QUERY_LENGTH) : answer;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
/** Type, length, transaction status. */
const READY_FOR_QUERY_LENGTH = 6;

/** A message is its type in one byte and its length in four, which counts itself. */
function count(messages: Uint8Array, type: number): number {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength);
  let found = 0;
  for (let at = 0; at + 5 <= messages.length; at += 1 + view.getUint32(at + 1)) {
    if (messages[at] === type) found++;
  }
  return found;
}
