import type { devices } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Device } from './device.ts';

export type DeviceRow = typeof devices.$inferSelect;

/** The casts are of ids written from branded ones. */
export function deviceOfRow(row: DeviceRow): Device {
  return { ...row, id: row.id as DeviceId, tenantId: row.tenantId as TenantId };
}
