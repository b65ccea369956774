/** The oldest version that Treeline supports; package.json has it too. */
const OLDEST = [20, 19] as const;

/** Says why Treeline can’t run on this version of Node (`20.20.2`); null when it can. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return null;
  return `Node ${version} is too old; Treeline needs Node ${OLDEST.join('.')} or newer`;
}
