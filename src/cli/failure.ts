/** Prints the error and its causes as one line on standard error and exits with code 1. */
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
