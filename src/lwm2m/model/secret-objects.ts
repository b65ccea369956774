/**
 * Objects that contain keys: Security (0) and OSCORE (21). A device must not register them, and their values are never
 * stored or shown (Core 1.2 §6.2.1, Appendix E.1).
 */
const SECRET_OBJECTS: ReadonlySet<number> = new Set([0, 21]);

export function isSecretObject(objectId: number): boolean {
  return SECRET_OBJECTS.has(objectId);
}
