import type { InputFields } from './builder.ts';

/** The input field that makes an edit fail if somebody else changed the object since the caller read it. */
export function ifUpdatedAtField(t: InputFields, object: string) {
  return t.field({
    type: 'DateTime',
    description: `The \`updatedAt\` of ${object} when you read it: \`"2026-05-29T14:30:00.000Z"\`. If it was changed since, nothing is changed and the result is a ConflictError that lists the changed fields. Absent or null: the edit is made in any case.`,
  });
}
