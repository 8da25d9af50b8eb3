/** The Vitest projects, in the order they run. `npm test -- core` runs one of them. */
export const projects = ["ci", "core", "client", "server", "cli"] as const;

/** Coverage of packages/core/src by the tests of core, in percent. The aim is branches: 100. */
export const coreCoverage = { lines: 95, branches: 95 } as const;

/** The most lines a source file may have; tests are exempt. */
export const maxFileLines = 450;
