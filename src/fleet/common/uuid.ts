const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A malformed id matches nothing. Check it before a query: the database refuses text that is not a UUID. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
