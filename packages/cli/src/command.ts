import type { Config, ExitName, OptionName } from "@threadmill/server";

/** What an action works with. Nothing in it is global, so that a test can hand in its own. */
export interface Context {
  readonly config: Config;
  /** tells a person how it goes; never part of the result */
  readonly say: (text: string) => void;
  /** whether a progress bar would be seen and is wanted */
  readonly interactive: boolean;
  readonly fetch: typeof globalThis.fetch;
  /** now, as an instant */
  readonly now: () => string;
}

/** What an action came to: the same as one JSON object and in words. */
export interface Outcome {
  readonly json: object;
  readonly text: string;
  /** default: ok */
  readonly exit?: ExitName;
}

/** A positional argument. */
export interface Argument {
  readonly name: string;
  readonly about: string;
  readonly many?: true;
  readonly optional?: true;
}

/** A flag of one command. Without `value` it is a switch. */
export interface Flag {
  readonly name: string;
  /** what stands after it, in the help */
  readonly value?: string;
  readonly about: string;
}

/** What was given on the command line. */
export interface Given {
  readonly args: readonly string[];
  readonly flags: { readonly [name: string]: string | true | undefined };
}

/** One row of the command table: the command line, its help and docs/cli.md come from it. */
export interface Command {
  /** such as `token create` */
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly args?: readonly Argument[];
  readonly flags?: readonly Flag[];
  /** rows of the option table that matter to it; those that are no secret become flags */
  readonly options: readonly OptionName[];
  /** the shape of what `--json` prints */
  readonly json: string;
  /** exit codes beside `ok`, `usage` and `fault`, and what they mean here */
  readonly exits: Partial<Record<ExitName, string>>;
  readonly run: (context: Context, given: Given) => Promise<Outcome>;
}

/** The first argument; the command line has made sure that it is there. */
export const first = ({ args }: Given): string => args[0] as string;

/** A flag's text, or undefined. */
export function textFlag({ flags }: Given, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}
