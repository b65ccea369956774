import { Path } from '../../lwm2m/index.ts';
import { FleetError, LIMITS } from '../common/index.ts';
import { checkKeyLength } from '../credentials/index.ts';
import { parsePath } from '../objects/index.ts';
import type { BootstrapPlan, BootstrapTarget } from './bootstrap.ts';

/** The limits of a plan: values, paths of `deletes` and of `reads`, characters of JSON. */
const MOST_VALUES = LIMITS.planValues;
const MOST_PATHS = LIMITS.planPaths;
const LARGEST_PLAN = 64 * 1024;
/** The objects that a bootstrap may read back (Core 1.2 §6.1.7.6): Server and Access Control. */
const READABLE = [Path.of(1), Path.of(2)];

/** Checks a plan. Throws FleetError VALIDATION; its field is the path of the wrong part in the plan. */
export function checkPlan(plan: BootstrapPlan): void {
  const { server, values, deletes, reads, keyLength } = plan;
  if (server === null && values.length === 0) throw wrong([], 'the plan is empty: give a server or values');
  if (server) checkTarget(server);
  if (values.length > MOST_VALUES)
    throw wrong(['values'], `${values.length} values are too many: the limit is ${MOST_VALUES}`);
  if (JSON.stringify(plan).length > LARGEST_PLAN)
    throw wrong(['values'], `the plan has more than ${LARGEST_PLAN} characters of JSON, the limit`);
  checkKeyLength(keyLength);
  checkPaths(deletes, 'deletes', 'an object or an object instance like /0 or /1/0', (path) => path.ids.length <= 2);
  checkPaths(
    reads,
    'reads',
    '/1, /2 or one of their instances',
    (path) => path.ids.length <= 2 && READABLE.some((object) => object.contains(path)),
  );
}

/** Checks the LwM2M server of a plan. */
function checkTarget(target: BootstrapTarget): void {
  const { uri, shortServerId, lifetime, binding, security } = target;
  const scheme = security === 'NO_SEC' ? /^coap(\+tcp)?:$/ : /^coaps(\+tcp)?:$/;
  if (uri.length > 255 || !URL.canParse(uri) || !scheme.test(new URL(uri).protocol)) {
    const example = security === 'NO_SEC' ? 'coap://lwm2m.example.com' : 'coaps://lwm2m.example.com';
    throw wrong(
      ['server', 'uri'],
      `${JSON.stringify(uri.slice(0, 255))} is not a URI like ${example} of at most 255 characters`,
    );
  }
  if (!whole(shortServerId, 1, 65_534))
    throw wrong(['server', 'shortServerId'], `the short server id must be 1 to 65534, not ${shortServerId}`);
  for (const name of ['securityInstanceId', 'serverInstanceId'] as const) {
    if (!whole(target[name], 0, 65_534))
      throw wrong(['server', name], `an instance id must be 0 to 65534, not ${target[name]}`);
  }
  if (!whole(lifetime, 1, 2 ** 31 - 1))
    throw wrong(['server', 'lifetime'], `the lifetime must be 1 to 2147483647 seconds, not ${lifetime}`);
  if (!/^[UTSNMH]{1,6}Q?$/.test(binding)) {
    const rule = 'give 1 to 6 of the letters UTSNMH, and Q at the end for queue mode, for example U or UQ';
    throw wrong(['server', 'binding'], `${JSON.stringify(binding.slice(0, 20))} is not a binding: ${rule}`);
  }
}

/** Checks the paths of `deletes` or `reads`; `allowed` says in the error which paths fit. */
function checkPaths(paths: readonly string[], name: string, allowed: string, fits: (path: Path) => boolean): void {
  if (paths.length > MOST_PATHS) throw wrong([name], `${paths.length} paths are too many: the limit is ${MOST_PATHS}`);
  for (const [index, text] of paths.entries()) {
    const field = [name, String(index)];
    if (!fits(parsePath(text, field))) throw wrong(field, `${text} is not allowed in ${name}: give ${allowed}`);
  }
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function wrong(field: readonly string[], message: string): FleetError {
  return new FleetError('VALIDATION', message, { field });
}
