import { Path } from '../lwm2m/index.ts';
import type { ExecuteArguments } from '../lwm2m/index.ts';
import type { Firmware } from './firmware.ts';
import { DEVICE, FIRMWARE, SENSOR, SENSORS, SERVER } from './objects.ts';
import type { ResourceTree } from './resource-tree.ts';
import { integer, multiple } from './typed.ts';

/** The actions of executable resources beyond the resource tree. */
export interface Actions {
  reboot(): void;
  factoryReset(): void;
  /** De-registers from the server of this Server instance for its disable timeout. */
  disable(instanceId: number): void;
  /** Bootstraps from the bootstrap server, after the response is sent. */
  bootstrap(): void;
  updateRegistration(instanceId: number): void;
  readonly firmware: Firmware;
}

/** Execute (Core 1.2 §6.3.5). An executable resource that is not listed here does nothing. */
export function execute(path: Path, _args: ExecuteArguments, tree: ResourceTree, actions: Actions): void {
  const [objectId = 0, instanceId = 0, resourceId] = path.ids;
  if (objectId === 1 && resourceId === SERVER.disable) actions.disable(instanceId);
  if (objectId === 1 && resourceId === SERVER.bootstrapTrigger) actions.bootstrap();
  if (objectId === 1 && resourceId === SERVER.updateTrigger) actions.updateRegistration(instanceId);
  if (objectId === 3 && resourceId === DEVICE.reboot) actions.reboot();
  if (objectId === 3 && resourceId === DEVICE.factoryReset) actions.factoryReset();
  if (objectId === 3 && resourceId === DEVICE.resetErrorCode) {
    tree.setResource(Path.of(3, 0, DEVICE.errorCode), multiple(integer(0)));
  }
  if (objectId === 5 && resourceId === FIRMWARE.update) actions.firmware.update();
  if (objectId === 5 && resourceId === FIRMWARE.cancel) actions.firmware.cancel();
  if (objectId in SENSORS && resourceId === SENSOR.resetMeasured) resetMeasured(tree, path.cut(2));
}

function resetMeasured(tree: ResourceTree, instance: Path): void {
  const value = tree.value(instance.child(SENSOR.value));
  if (value === undefined) return;
  tree.set(instance.child(SENSOR.minMeasured), value);
  tree.set(instance.child(SENSOR.maxMeasured), value);
}
