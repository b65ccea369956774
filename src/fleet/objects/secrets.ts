import { isSecretObject, type Path } from '../../lwm2m/index.ts';
import { definitionAt, type DefinitionSource } from './typed-values.ts';

/** Matches the names of parameters and resources whose values are never stored or shown. */
const SECRET_NAME = /psk|key|secret|passw|pwd|token|credential|\bpin\b/i;

/** True for names of secrets, such as `psk`, `secretKey`, `Password` and `api_token`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** True if the path belongs to an object that contains keys, or its resource has the name of a secret. */
export function isSecretPath(path: Path, source: DefinitionSource): boolean {
  if (path.objectId !== null && isSecretObject(path.objectId)) return true;
  return isSecretName(definitionAt(path, source)?.name ?? '');
}
