/**
 * Ends a command that can't go on: one line on standard error, a non-zero exit. Causes are told where they add something.
 */
export function fail(error: unknown): never {
  const line = messages(error).join(': ');
  process.stderr.write(`treeline: ${line.replaceAll(/\s+/g, ' ')}\n`);
  process.exit(1);
}

function messages(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const cause = error.cause instanceof Error ? messages(error.cause) : [];
  return [error.message, ...cause.filter((message) => !error.message.includes(message))];
}
