/** Every exit code of the server and the command line. Scripts rely on the numbers: add, never change. */
export const exitCodes = {
  ok: { code: 0, about: "Done, or stopped as asked." },
  fault: { code: 1, about: "Something broke that should not have: a bug, or a fault that retrying did not cure." },
  usage: { code: 2, about: "Wrong options or arguments; nothing was started." },
  refused: { code: 3, about: "The request was understood and refused, or its input is invalid." },
  unreachable: { code: 4, about: "The server or the database cannot be reached." },
  in_use: { code: 5, about: "The data directory or the port is in use by another process." },
  schema_newer: { code: 6, about: "The database was written by a newer Threadmill than this one." },
  interrupted: { code: 130, about: "A second SIGINT (Ctrl-C) ended the process before its work was drained." },
  terminated: { code: 143, about: "A second SIGTERM ended the process before its work was drained." },
} as const satisfies Record<string, { code: number; about: string }>;

/** The name of an exit code. */
export type ExitName = keyof typeof exitCodes;

/** The number that the process exits with. */
export function exitCode(name: ExitName): number {
  return exitCodes[name].code;
}

/** The exit codes as a Markdown table, for the documentation. */
export function exitCodesMarkdown(): string {
  const rows = Object.entries(exitCodes).map(([name, { code, about }]) => `- \`${code}\` ${name}: ${about}`);
  return rows.join("\n");
}
