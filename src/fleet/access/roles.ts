import { FleetError } from '../common/index.ts';
import type { Actor, Role } from './actor.ts';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Throws FleetError FORBIDDEN if the actor's role is lower than `role`. */
export function requireRole(actor: Actor, role: Role): void {
  if (RANK[actor.role] < RANK[role]) {
    throw new FleetError('FORBIDDEN', `the role ${role} is required; the token has the role ${actor.role}`);
  }
}
