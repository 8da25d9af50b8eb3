import type { Permission, SettingsIndex } from "@threadmill/core";
import type { Caller } from "./auth.ts";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";
import type { Call } from "./route.ts";

/** Whether the user who calls works here and has a right; throws a problem. */
export async function checkUserRights(call: Call, permission: Permission | null): Promise<void> {
  const settings = await call.settings();
  const user = settings.user(userOf(call.caller));
  if (user === null || user.archived_at !== null) {
    throw new ProblemAnswer(problem("unauthorized", { detail: "The user no longer works here" }));
  }
  if (permission !== null && !callerMay(settings, call.caller, permission)) {
    throw new ProblemAnswer(problem("forbidden", { detail: `This needs the right ${permission}` }));
  }
}

/** Whether whoever calls has a right, anywhere at all: the user has it, and the token too. */
export const callerMay = (
  settings: SettingsIndex,
  { actor, scopes }: Pick<Caller, "actor" | "scopes">,
  permission: Permission,
): boolean => (scopes === null || scopes.has(permission)) && settings.permits(actor, permission);

/** The id of the user who calls; a caller who is none cannot do what only users do. */
export function userOf({ user }: Caller): string {
  if (user === null) throw new ProblemAnswer(problem("forbidden", { detail: "Only a user can do this" }));
  return user;
}
