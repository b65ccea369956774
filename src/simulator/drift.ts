import { Path } from '../lwm2m/index.ts';
import { DEVICE, SENSOR, SENSORS } from './objects.ts';
import type { Sensor } from './objects.ts';
import type { ResourceTree } from './resource-tree.ts';
import { float, integer, numberOf } from './typed.ts';

/**
 * Changes the measured values by one step: sensor values move between their limits, and the battery drains and is
 * recharged.
 */
export function drift(tree: ResourceTree, random: () => number): void {
  for (const [objectId, sensor] of Object.entries(SENSORS)) {
    for (const instanceId of tree.instanceIds(Number(objectId))) {
      step(tree, Path.of(Number(objectId), instanceId), sensor, random);
    }
  }
  drain(tree, random);
}

function step(
  tree: ResourceTree,
  instance: Path,
  { start, min, max, step, decimals }: Sensor,
  random: () => number,
): void {
  const before = numberOf(tree.value(instance.child(SENSOR.value))) ?? start;
  // Each step pulls the value towards its start, so that it does not stay at a limit.
  const moved = before + (random() * 2 - 1) * step + (start - before) * 0.01;
  measure(tree, instance, Number(Math.min(max, Math.max(min, moved)).toFixed(decimals)));
}

/** Sets a sensor's value and updates the minimum and maximum measured values. */
export function measure(tree: ResourceTree, instance: Path, value: number): void {
  const [least, most] = [instance.child(SENSOR.minMeasured), instance.child(SENSOR.maxMeasured)];
  tree.set(instance.child(SENSOR.value), float(value));
  if (value < (numberOf(tree.value(least)) ?? value)) tree.set(least, float(value));
  if (value > (numberOf(tree.value(most)) ?? value)) tree.set(most, float(value));
}

function drain(tree: ResourceTree, random: () => number): void {
  const battery = Path.of(3, 0, DEVICE.batteryLevel);
  const level = numberOf(tree.value(battery));
  if (level === undefined || random() < 0.9) return;
  tree.set(battery, integer(level > 5 ? level - 1 : 100));
}
