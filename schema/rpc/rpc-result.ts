import * as z from 'zod';
import { resourceTypeOf, type JsonValue, type Rpc } from '../../src/fleet/index.ts';
import type { Link, ResourceType } from '../../src/lwm2m/index.ts';

/** A value of a device's response. */
export interface AnsweredValue {
  readonly path: string;
  readonly type: ResourceType | null;
  readonly value: JsonValue | Readonly<Record<string, JsonValue>> | null;
  readonly time: string | null;
}

const jsonValue = z.union([z.string(), z.number(), z.boolean()]);

/** The parts of an RPC's result that have their own types in the API. The whole result is available as JSON. */
const answer = z.object({
  values: z
    .array(
      z.object({
        path: z.string(),
        type: z.string().transform(resourceTypeOf).nullable().default(null),
        value: z.union([jsonValue, z.record(z.string(), jsonValue)]).nullable(),
        time: z.string().nullable().default(null),
      }),
    )
    .nullish(),
  links: z.array(z.object({ uri: z.string(), attributes: z.record(z.string(), z.string().nullable()) })).nullish(),
  createdInstanceId: z.number().int().nullish(),
});

/** The device's response; all parts are empty until there is one. */
export function answerOf({ result }: Rpc): {
  values: readonly AnsweredValue[];
  links: readonly Link[];
  createdInstanceId: number | null;
} {
  const parsed = answer.safeParse(result);
  const { values, links, createdInstanceId } = parsed.success ? parsed.data : {};
  return { values: values ?? [], links: links ?? [], createdInstanceId: createdInstanceId ?? null };
}
