import { exitCodesMarkdown } from "../process/exit-codes.ts";
import type { Config, Option } from "./options.ts";
import { optionRows } from "./options.ts";

/** What `--help` prints: the usage line, then every option with its variable, its default and what it is for. */
export function helpText(usage: string, width = 80): string {
  const sections = optionRows().map(([, option]) => {
    const flag = option.flag === undefined ? "" : `--${option.flag} <${option.type.label}>`;
    const head = [flag, option.env].filter(Boolean).join("  ");
    const body = `${option.about} Default: ${defaultText(option)}.`;
    return [`  ${head}`, ...wrap(body, width - 6).map((line) => `      ${line}`)].join("\n");
  });
  const hint = wrap("Every option can be set in the environment; a flag goes before it. Secrets have no flag.", width);
  return [`Usage: ${usage}`, ...hint, "", ...sections, ""].join("\n");
}

/** docs/options.md. A test keeps the file equal to this. */
export function optionsMarkdown(): string {
  const sections = optionRows().map(([name, option]) =>
    [
      `## ${name}`,
      "",
      option.about,
      "",
      `- Environment: \`${option.env}\``,
      option.flag === undefined
        ? "- Flag: none, because it is a secret"
        : `- Flag: \`--${option.flag} <${option.type.label}>\``,
      `- Default: ${option.otherwise === undefined ? `\`${defaultText(option)}\`` : defaultText(option).replace(/\S*<port>/, "`$&`")}`,
      "",
    ].join("\n"),
  );
  return [
    "# Options",
    "",
    "This page is made from the option table in `packages/server/src/config/options.ts`.",
    "",
    "A flag goes before the environment. An empty variable counts as not set. Everything wrong is reported at once, without",
    "the values. Secrets are never logged.",
    "",
    ...sections,
    "## Exit codes",
    "",
    exitCodesMarkdown(),
    "",
  ].join("\n");
}

/** A configuration as the log may show it: of a secret only whether it is set. */
export function redactedConfig(config: Config): Record<string, unknown> {
  const shown = optionRows().map(([name, { secret }]) => {
    const value = config[name];
    return [name, secret && value !== undefined ? "[set]" : (value ?? "[not set]")] as const;
  });
  return Object.fromEntries(shown);
}

function defaultText(option: Option<unknown>): string {
  return option.otherwise ?? String(option.fallback);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line];
}
