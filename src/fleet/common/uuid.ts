const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True if `text` is a UUID. Check an id before a query: PostgreSQL rejects text that is not a UUID. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
