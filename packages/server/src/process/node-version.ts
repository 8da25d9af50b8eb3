/** The first major version of Node that Threadmill runs on. */
const leastMajor = 24;

/** The sentence to print when `version` (such as `process.versions.node`) is too old, or undefined when it will do. */
export function nodeVersionProblem(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= leastMajor) return undefined;
  return `Threadmill needs Node ${leastMajor} or newer; this is Node ${version}. Run it with npm start, which brings its own.`;
}
