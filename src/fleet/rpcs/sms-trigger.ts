import type { DeviceId, TenantId } from '../access/index.ts';

/** A device that sleeps, something waits for it, and it can be reached by SMS. */
export interface SleepingDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  /** As it registered it (`sms`): digits, without "+". */
  readonly smsNumber: string;
}

/**
 * Wakes a queue-mode device from outside CoAP over IP: a gateway that Treeline does not have sends it an SMS whose CoAP
 * message executes the Registration Update Trigger, /1/x/8 (Core 1.2 §6.5, Transport 1.2 §6.6). Called once when the
 * first thing begins to wait in a sleep, never awaited; the device answers by an Update, if it does. It must not throw.
 */
export type SmsTrigger = (device: SleepingDevice) => void;
