export type { AccessEvents } from './access-events.ts';
export type { Actor, DeviceId, Role, TenantId } from './actor.ts';
export { ensureAdminToken } from './admin-token.ts';
export { type Access, LONGEST_TOKEN, createAccess } from './keys.ts';
export { requireRole } from './roles.ts';
export { DEFAULT_TENANT, ensureDefaultTenant } from './tenants.ts';
