import type { ExitName } from "@threadmill/server";

/** What the user can do something about: shown as a sentence and a hint, without a stack. `code` is stable. */
export class UserError extends Error {
  readonly code: string;
  readonly exit: ExitName;
  readonly hint: string | undefined;

  constructor(
    code: string,
    message: string,
    { exit = "refused", hint, cause }: { exit?: ExitName; hint?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UserError";
    this.code = code;
    this.exit = exit;
    this.hint = hint;
  }
}

/** A flag's text as a number above zero. Throws a usage error. */
export function positive(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new UserError("usage", `${flag} must be a number above 0`, { exit: "usage" });
}
