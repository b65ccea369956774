import type { DeviceId, TenantId } from '../access/index.ts';

/** A sleeping device for which a call waits, and which can be woken by SMS. */
export interface SleepingDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  /** The number that the device registered (`sms`): digits without "+". */
  readonly smsNumber: string;
}

/**
 * Wakes a sleeping queue-mode device by SMS. The function asks an SMS gateway, which is not part of Treeline, to send
 * an SMS whose CoAP message executes the Registration Update Trigger, /1/x/8 (Core 1.2 §6.5, Transport 1.2 §6.6). A
 * device that gets the SMS sends an Update. The dispatcher calls the function once in each sleep, when the first call
 * begins to wait, and does not await it. It must not throw.
 */
export type SmsTrigger = (device: SleepingDevice) => void;
