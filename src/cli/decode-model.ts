import { readFileSync } from 'node:fs';
import { overlayModel, parseObjectXml, registryModel } from '../lwm2m/index.ts';
import type { ObjectModel } from '../lwm2m/index.ts';
import { parseTypes } from './decode-spelling.ts';

/** The options that add object definitions to the registry. */
export interface ModelOptions {
  readonly types?: string;
  readonly model?: string;
}

/** The registry, with definitions replaced or added by those of the files. Throws Lwm2mError and file system errors. */
export function modelOf({ types, model }: ModelOptions): ObjectModel {
  const own = [
    ...(model === undefined ? [] : parseObjectXml(readFileSync(model, 'utf8'))),
    ...(types === undefined ? [] : parseTypes(JSON.parse(readFileSync(types, 'utf8'))).definitions()),
  ];
  return overlayModel(own, registryModel());
}
