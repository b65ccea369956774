const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What is no UUID is nobody's id: it is answered without asking the database, which would refuse it. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
