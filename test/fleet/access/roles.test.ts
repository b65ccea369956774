import { expect, it } from 'vitest';
import { type Actor, DEFAULT_TENANT, requireRole, type Role } from '../../../src/fleet/access/index.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

it.each(ROLES.flatMap((has) => ROLES.map((takes) => [has, takes] as const)))(
  'a token of the role %s may do what takes the role %s only if its role is not below',
  (has, takes) => {
    const actor: Actor = { tenantId: DEFAULT_TENANT, role: has, subject: 'key:1', keyId: '1' };
    const required = (): void => requireRole(actor, takes);
    if (ROLES.indexOf(has) >= ROLES.indexOf(takes)) expect(required).not.toThrow();
    else expect(required).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  },
);
