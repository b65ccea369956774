import { isSecretObject, type Path } from '../../lwm2m/index.ts';
import { definitionAt, type DefinitionSource } from './typed-values.ts';

/** Names of parameters and of resources whose values are never stored or shown. */
const SECRET_NAME = /psk|key|secret|passw|pwd|token|credential|\bpin\b/i;

/** True for `psk`, `secretKey`, `Password`, `api_token`… */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A resource of an object that holds keys, or one whose definition has a secret name. */
export function isSecretPath(path: Path, source: DefinitionSource): boolean {
  if (path.objectId !== null && isSecretObject(path.objectId)) return true;
  return isSecretName(definitionAt(path, source)?.name ?? '');
}
