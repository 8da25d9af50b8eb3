import { exitCodesMarkdown, options, type OptionName } from "@threadmill/server";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { flagOptions } from "./program.ts";

/** docs/cli.md. A test keeps the file equal to this. */
export function cliMarkdown(): string {
  return [
    "# The command line",
    "",
    "This page is made from the command table in `packages/cli/src/commands.ts`.",
    "",
    "In a clone, after `npm ci`: `npx threadmill <command>`. Every command but `start` takes `--json` and then prints one line of",
    'JSON on standard output, of an error `{"error": {"code", "message", "hint"}}`; what is told to people goes to standard error.',
    "Options can be given in the environment, too; a flag goes before it. [options.md](options.md) tells more of each.",
    "",
    "## start",
    "",
    "Starts the server as this process, with every option of [options.md](options.md). Its log is JSON lines.",
    "",
    ...commands.flatMap(section),
    "## Exit codes",
    "",
    exitCodesMarkdown(),
    "",
  ].join("\n");
}

function section(command: Command): string[] {
  const { name, summary, details, args = [], flags = [], json, exits } = command;
  const words = args.map(({ name: arg, many, optional }) => {
    const form = `${arg.toUpperCase()}${many === true ? "..." : ""}`;
    return optional === true ? `[${form}]` : form;
  });
  const rows = [
    ...args.map(({ name: arg, about }) => `- \`${arg.toUpperCase()}\`: ${about}`),
    ...flags.map(
      ({ name: flag, value, about }) => `- \`--${flag}${value === undefined ? "" : ` <${value}>`}\`: ${about}`,
    ),
    ...command.options.map((option) => `- ${spelt(option)}`),
  ];
  const codes = Object.entries(exits).map(([exit, about]) => `- exit \`${exit}\`: ${about}`);
  return [
    `## ${name}`,
    "",
    `    threadmill ${[name, ...words].join(" ")}`,
    "",
    [`${summary}.`, details].filter(Boolean).join(" "),
    "",
    ...rows,
    `- \`--json\`: \`${json}\``,
    ...codes,
    "",
  ];
}

function spelt(name: OptionName): string {
  const [row] = flagOptions([name]);
  const variable = `\`${options[name].env}\``;
  return row === undefined ? variable : `\`--${row[1].flag} <${row[1].type.label}>\` or ${variable}`;
}
