import type { Config, Option, OptionName } from "./options.ts";
import { optionRows } from "./options.ts";

/** Something wrong with what was given. `given` names the variable or flag; the value is never repeated. */
export interface ConfigProblem {
  option: OptionName | undefined;
  given: string;
  message: string;
}

/** What the environment and the command line ask for. */
export type Loaded =
  | { kind: "config"; config: Config; warnings: string[] }
  | { kind: "help" }
  | { kind: "invalid"; problems: ConfigProblem[] };

/**
 * Reads the configuration. A flag beats the environment, an empty variable counts as not given, and all problems are
 * reported together. `--help` or `-h` anywhere asks for help and nothing else.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, argv: readonly string[]): Loaded {
  if (argv.some((word) => word === "--help" || word === "-h")) return { kind: "help" };
  const rows = optionRows();
  const { flags, problems } = readFlags(argv, rows);

  const values: Partial<Record<OptionName, unknown>> = {};
  for (const [name, option] of rows) {
    const source = sourceOf(option, env, flags);
    if (!source) {
      values[name] = option.fallback;
      continue;
    }
    const read = option.type.read(source.text.trim());
    if (read.ok) values[name] = read.value;
    else problems.push({ option: name, given: source.given, message: read.problem });
  }
  if (values.databaseDirectUrl !== undefined && !sourceOf(rowOf("databaseUrl"), env, flags)) {
    problems.push({
      option: "databaseDirectUrl",
      given: "DATABASE_DIRECT_URL",
      message: "needs DATABASE_URL beside it",
    });
  }
  if (values.oidcIssuer !== undefined && (values.oidcClientId === undefined || values.oidcClientSecret === undefined)) {
    problems.push({
      option: "oidcIssuer",
      given: "THREADMILL_OIDC_ISSUER",
      message: "needs THREADMILL_OIDC_CLIENT_ID and THREADMILL_OIDC_CLIENT_SECRET beside it",
    });
  }
  if (problems.length > 0) return { kind: "invalid", problems };
  return { kind: "config", config: complete(values), warnings: unknownVariables(env, rows) };
}

/** The same configuration once the server listens: with port 0, what was derived from the port names the real one. */
export function withBoundPort(config: Config, port: number): Config {
  const values: Partial<Record<OptionName, unknown>> = { ...config, port };
  for (const [name, option] of optionRows()) {
    if (option.derive && config[name] === option.derive(config)) values[name] = undefined;
  }
  return complete(values);
}

/** One line a problem, for standard error. */
export function problemLines(problems: readonly ConfigProblem[]): string[] {
  return problems.map(({ given, message }) => `${given} ${message}`);
}

/** Every row was read or given its fallback, and each row's type made its value: that is what `Config` says. */
function complete(values: Partial<Record<OptionName, unknown>>): Config {
  const base = { port: values.port as number };
  const entries = optionRows().map(([name, { derive }]) => [name, values[name] ?? derive?.(base)] as const);
  return Object.freeze(Object.fromEntries(entries)) as Config;
}

function sourceOf(
  option: Option<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  flags: ReadonlyMap<string, string>,
): { given: string; text: string } | undefined {
  const flagged = option.flag === undefined ? undefined : flags.get(option.flag);
  if (flagged !== undefined) return { given: `--${option.flag}`, text: flagged };
  const text = env[option.env];
  return text === undefined || text.trim() === "" ? undefined : { given: option.env, text };
}

function rowOf(name: OptionName): Option<unknown> {
  return (optionRows().find(([each]) => each === name) as readonly [OptionName, Option<unknown>])[1];
}

/** Takes `--flag value` and `--flag=value`. A word that is no flag is a problem, but is not shown: it may be a secret. */
function readFlags(argv: readonly string[], rows: ReturnType<typeof optionRows>) {
  const flags = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const [, flag, inline] = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word) ?? [];
    const problem = (message: string, option?: OptionName) => {
      problems.push({ option, given: flag === undefined ? `Argument ${at + 1}` : `--${flag}`, message });
    };
    if (flag === undefined) {
      problem("is not an option; see --help");
      continue;
    }
    const next = argv[at + 1];
    const value = inline ?? (next === undefined || next.startsWith("--") ? undefined : next);
    if (inline === undefined && value !== undefined) at += 1;

    const row = rows.find(([name, option]) => (option.flag ?? dashed(name)) === flag);
    if (!row) problem("is not an option; see --help");
    else if (row[1].secret) problem(`cannot be given here, where others could read it; set ${row[1].env}`, row[0]);
    else if (value === undefined || value.trim() === "") problem("needs a value", row[0]);
    else if (flags.has(flag)) problem("is given twice", row[0]);
    else flags.set(flag, value);
  }
  return { flags, problems };
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A misspelt variable would otherwise be ignored in silence. Warnings only: another version may know it. */
function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  rows: ReturnType<typeof optionRows>,
): string[] {
  const known = new Set(rows.map(([, option]) => option.env));
  const ours = Object.keys(env).filter((name) => name.startsWith("THREADMILL_") && !known.has(name));
  return ours.sort().map((name) => `${name} is set, but there is no such option`);
}
