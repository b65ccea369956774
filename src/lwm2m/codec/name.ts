import { Lwm2mError } from '../error.ts';
import { Path } from '../path.ts';
import type { DecodeContext } from './typing.ts';

/**
 * Parses an absolute name into a path. The name may begin with the alternate path (`/lwm2m/3/0/9`) or with the prefix
 * of an end device. Throws INVALID_PAYLOAD.
 */
export function parseName(name: string, { rootPath }: DecodeContext, offset: number): Path {
  const below = rootPath !== undefined && rootPath !== '/' && name.startsWith(`${rootPath}/`);
  try {
    return Path.parsePrefixed(below ? name.slice(rootPath.length) : name);
  } catch (cause) {
    const why =
      name === '' ? 'a record has no name' : `the name ${JSON.stringify(name.slice(0, 80))} is not an LwM2M path`;
    throw new Lwm2mError('INVALID_PAYLOAD', why, { offset, cause });
  }
}
