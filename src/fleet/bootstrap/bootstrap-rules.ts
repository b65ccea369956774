import { Path } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';
import { parsePath } from '../objects/index.ts';
import type { BootstrapPlan, BootstrapTarget } from './bootstrap.ts';

const MOST_VALUES = 500;
const MOST_PATHS = 50;
const LARGEST_PLAN = 64 * 1024;
/** Core 1.2 §6.1.7.6: what may be read back. */
const READABLE = [Path.of(1), Path.of(2)];

/** Throws FleetError VALIDATION, its field the path into the plan. */
export function checkPlan(plan: BootstrapPlan): void {
  const { server, values, deletes, reads } = plan;
  if (server === null && values.length === 0) throw wrong([], 'a server or values are wanted');
  if (server) checkTarget(server);
  if (values.length > MOST_VALUES) throw wrong(['values'], `at most ${MOST_VALUES} values`);
  if (JSON.stringify(plan).length > LARGEST_PLAN) throw wrong(['values'], `more than ${LARGEST_PLAN} characters`);
  checkPaths(deletes, 'deletes', (path) => path.ids.length <= 2);
  checkPaths(reads, 'reads', (path) => path.ids.length <= 2 && READABLE.some((object) => object.contains(path)));
}

function checkTarget({ uri, shortServerId, lifetime, binding, security }: BootstrapTarget): void {
  const scheme = security === 'NO_SEC' ? /^coap(\+tcp)?:$/ : /^coaps(\+tcp)?:$/;
  if (uri.length > 255 || !URL.canParse(uri) || !scheme.test(new URL(uri).protocol)) {
    const example = security === 'NO_SEC' ? 'coap://lwm2m.example.com' : 'coaps://lwm2m.example.com';
    throw wrong(['server', 'uri'], `${JSON.stringify(uri.slice(0, 255))} is no URI like ${example}`);
  }
  if (!whole(shortServerId, 1, 65_534)) throw wrong(['server', 'shortServerId'], `${shortServerId} is not in 1..65534`);
  if (!whole(lifetime, 1, 2 ** 31 - 1)) throw wrong(['server', 'lifetime'], `${lifetime} is no number of seconds`);
  if (!/^[UTSNMH]{1,6}Q?$/.test(binding)) {
    throw wrong(['server', 'binding'], `${JSON.stringify(binding.slice(0, 20))} is no binding like U or UT`);
  }
}

function checkPaths(paths: readonly string[], name: string, fits: (path: Path) => boolean): void {
  if (paths.length > MOST_PATHS) throw wrong([name], `at most ${MOST_PATHS} paths`);
  for (const [index, text] of paths.entries()) {
    const field = [name, String(index)];
    if (!fits(parsePath(text, field))) throw wrong(field, `${text} is nothing that a bootstrap ${name}`);
  }
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function wrong(field: readonly string[], message: string): FleetError {
  return new FleetError('VALIDATION', message, { field });
}
