import type { devices } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Device } from './device.ts';

export type DeviceRow = typeof devices.$inferSelect;

/** The casts are safe: the ids in a row were written from ids of these types. */
export function deviceOfRow(row: DeviceRow): Device {
  return { ...row, id: row.id as DeviceId, tenantId: row.tenantId as TenantId };
}
