import type { ObjectModel } from '../../lwm2m/index.ts';
import { isBuiltInMethod, type RpcMethod, STANDARD_METHODS, templateProblem } from '../operations/index.ts';
import { wrong } from './wrong.ts';

const METHOD = /^[A-Za-z_][\w.-]{0,63}$/;
/** A parameter of the call can replace a number of the path: `/3311/{{instance}}/5850`. */
const METHOD_PATH = /^(?:\/(?:\d{1,5}|\{\{\w{1,64}\}\})){1,4}$/;

const PATH_EXAMPLES: Readonly<Record<RpcMethod['operation'], string>> = {
  READ: '/3/0/9',
  WRITE: '/3/0/15',
  EXECUTE: '/3/0/4',
  CREATE: '/3311',
  DELETE: '/3311/1',
};

/**
 * Throws FleetError VALIDATION for methods that are invalid, can never work, or have the name of another method. Its
 * field is the path in the profile.
 */
export function checkMethods(methods: readonly RpcMethod[], model: ObjectModel): void {
  const names = new Set<string>();
  for (const [index, method] of methods.entries()) {
    const field = ['methods', String(index)];
    checkMethod(method, field);
    checkTarget(method, model, field);
    if (names.has(method.name)) throw wrong([...field, 'name'], `${method.name} appears twice`);
    names.add(method.name);
  }
}

function checkMethod(method: RpcMethod, field: readonly string[]): void {
  if (!METHOD.test(method.name)) {
    throw wrong(
      [...field, 'name'],
      `${JSON.stringify(method.name)} is not a method name: it must match ^[A-Za-z_][\\w.-]*$ and have at most 64 characters`,
    );
  }
  const standard = STANDARD_METHODS.find(({ name }) => name === method.name);
  const isStandard = standard?.operation === method.operation && standard.path === method.path;
  if (isBuiltInMethod(method.name) && !isStandard) {
    throw wrong(
      [...field, 'name'],
      `${method.name} is a method that every device has: choose another name, because a call of it would be ambiguous`,
    );
  }
  const levels = method.path.split('/').length - 1;
  const fits = method.operation === 'CREATE' ? levels === 1 : method.operation === 'EXECUTE' ? levels === 3 : true;
  if (!METHOD_PATH.test(method.path) || !fits) {
    throw wrong(
      [...field, 'path'],
      `${JSON.stringify(method.path)} is not a path for ${method.operation}, such as ${PATH_EXAMPLES[method.operation]}`,
    );
  }
  const problem = templateProblem(method);
  if (problem) throw wrong([...field, 'parameters', ...problem.at], problem.message);
}

/** What each operation needs of the resource at its path, and the reason when the resource lacks it. */
const NEEDS = {
  READ: { lacks: (operations: string) => !operations.includes('R'), reason: 'can’t be read' },
  WRITE: { lacks: (operations: string) => !operations.includes('W'), reason: 'is not writable' },
  EXECUTE: { lacks: (operations: string) => operations !== 'E', reason: 'is not executable' },
} as const;

/** Refuses a method for a resource that no known version of its object allows. A path with a parameter is not checked. */
function checkTarget({ operation, path }: RpcMethod, model: ObjectModel, field: readonly string[]): void {
  const ids = /^\/(\d+)\/[^/]+\/(\d+)/.exec(path);
  if (!ids || operation === 'CREATE' || operation === 'DELETE') return;
  const [, objectId, resourceId] = ids.map(Number);
  const resources = [...model.definitions()]
    .filter(({ id }) => id === objectId)
    .flatMap((object) => object.resources.filter(({ id }) => id === resourceId));
  const { lacks, reason } = NEEDS[operation];
  const [first] = resources;
  if (first && resources.every(({ operations }) => lacks(operations)))
    throw wrong([...field, 'path'], `${path} (${first.name}) ${reason}: a call of the method could never work`);
}
