import { Lwm2mError } from '../error.ts';
import { Path } from '../path.ts';
import type { DecodeContext } from './typing.ts';

/**
 * The path that an absolute name stands for. It may carry the device's alternate path (`/lwm2m/3/0/9`), or the prefix
 * of a gateway's end device. Throws INVALID_PAYLOAD.
 */
export function parseName(name: string, { rootPath }: DecodeContext, offset: number): Path {
  const below = rootPath !== undefined && rootPath !== '/' && name.startsWith(`${rootPath}/`);
  try {
    return Path.parsePrefixed(below ? name.slice(rootPath.length) : name);
  } catch (cause) {
    const why = name === '' ? 'a record without a name' : `the name ${JSON.stringify(name.slice(0, 80))} is no path`;
    throw new Lwm2mError('INVALID_PAYLOAD', why, { offset, cause });
  }
}
