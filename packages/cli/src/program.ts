import { Command as Commander, CommanderError } from "commander";
import {
  exitCode,
  type ExitName,
  loadConfig,
  type OptionName,
  optionRows,
  problemLines,
  version,
} from "@threadmill/server";
import type { Command, Context, Given, Outcome } from "./command.ts";
import { commands } from "./commands.ts";
import { explain } from "./explain.ts";
import { UserError } from "./user-error.ts";

/** The world around the command line, so that a test can be it. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** whether standard error is a terminal */
  readonly terminal: boolean;
  /** runs the server as this process; its exit code is its own affair */
  readonly serve: (argv: readonly string[]) => Promise<void>;
}

export const groups: Readonly<Record<string, string>> = {
  parked: "Items that a bug kept from being carried: list, retry, resolve",
  job: "Work on many things: list, show, cancel, resume",
  token: "Makes, lists and revokes API tokens",
  organization: "Makes organizations",
  user: "Lets people in, and in again who are locked out",
  workflow: "Workflows as files: push, pull, validate, compare",
};

/** Runs one command line and gives the exit code; undefined when a server was started, which has its own. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number | undefined> {
  let exit: number | undefined = exitCode("ok");
  const json = argv.includes("--json");
  const program = createProgram(world, {
    async run(command, given, flagWords) {
      exit = exitCode(await runCommand(command, given, flagWords, { json, world }));
    },
    async start(words) {
      exit = undefined;
      await world.serve(words);
    },
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    // help and version are no errors; of the others commander has told already
    if (error instanceof CommanderError) return exitCode(error.exitCode === 0 ? "ok" : "usage");
    throw error;
  }
}

/** What the command line does with what it has read. */
interface Doing {
  readonly run: (command: Command, given: Given, flagWords: readonly string[]) => Promise<void>;
  /** starts the server; its options are read by itself */
  readonly start: (words: readonly string[]) => Promise<void>;
}

/** The command line of the table. */
function createProgram(world: Pick<World, "out" | "err">, { run, start }: Doing): Commander {
  const program = new Commander("threadmill")
    .description("Customer messaging with a workflow engine")
    .version(version)
    .exitOverride();
  program.configureOutput({ writeOut: world.out, writeErr: world.err }).showHelpAfterError("See threadmill --help.");
  program
    .command("start")
    .summary("Starts the server; `threadmill start --help` lists its options")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_options: unknown, self: Commander) => start(self.args));
  const parents = new Map<string, Commander>();
  for (const command of commands) {
    const [head, verb] = command.name.split(" ") as [string, string | undefined];
    if (verb === undefined) {
      declare(program.command(head), command, run);
      continue;
    }
    let parent = parents.get(head);
    if (parent === undefined) parents.set(head, (parent = program.command(head).description(groups[head] ?? "")));
    declare(parent.command(verb), command, run);
  }
  return program;
}

/** The options of the table that a command takes as flags. */
export const flagOptions = (names: readonly OptionName[]) =>
  optionRows().filter(([name, { flag }]) => flag !== undefined && names.includes(name));

function declare(target: Commander, command: Command, run: Doing["run"]): void {
  target.summary(command.summary).description([command.summary, command.details].filter(Boolean).join(".\n\n"));
  for (const { name, about, many, optional } of command.args ?? []) {
    const form = many === true ? `${name}...` : name;
    target.argument(optional === true ? `[${form}]` : `<${form}>`, about);
  }
  for (const { name, value, about } of command.flags ?? [])
    target.option(value === undefined ? `--${name}` : `--${name} <${value}>`, about);
  const options = flagOptions(command.options);
  for (const [, { flag, type, about }] of options) target.option(`--${flag} <${type.label}>`, about);
  target.option("--json", "print one line of JSON");
  target.action(async (...all: unknown[]) => {
    const self = all.at(-1) as Commander;
    const values = self.opts<Record<string, string | true | undefined>>();
    const flags = Object.fromEntries((command.flags ?? []).map(({ name }) => [name, values[camel(name)]]));
    const words = options.flatMap(([, { flag = "" }]) => {
      const value = values[camel(flag)];
      return typeof value === "string" ? [`--${flag}=${value}`] : [];
    });
    await run(command, { args: self.args, flags }, words);
  });
}

const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

interface Running {
  readonly json: boolean;
  readonly world: World;
}

/** The one wrapper around every action: configuration before it, result or error after it. */
async function runCommand(
  command: Command,
  given: Given,
  flagWords: readonly string[],
  { json, world }: Running,
): Promise<ExitName> {
  const line = (text: string): void => world.out(`${text}\n`);
  const say = (text: string): void => world.err(`${text}\n`);
  try {
    const loaded = loadConfig(world.env, flagWords);
    if (loaded.kind !== "config")
      throw new UserError("usage", loaded.kind === "invalid" ? problemLines(loaded.problems).join("\n") : "", {
        exit: "usage",
      });
    const context: Context = {
      config: loaded.config,
      say: json ? () => {} : say,
      interactive: world.terminal && !json,
      fetch: globalThis.fetch,
      now: () => new Date().toISOString(),
    };
    const outcome: Outcome = await command.run(context, given);
    line(json ? JSON.stringify(outcome.json) : outcome.text);
    return outcome.exit ?? "ok";
  } catch (error) {
    const { code, message, hint, exit, stack } = explain(error);
    if (json) line(JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } }));
    say(`threadmill: ${message}`);
    if (hint !== undefined) say(hint);
    if (stack !== undefined) say(stack);
    return exit;
  }
}
