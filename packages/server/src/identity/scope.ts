import { plainProblems } from "../http/errors.ts";
import type { Scope } from "../http/scope.ts";
import { authPath } from "./engine.ts";

/**
 * The scope of the addresses where people sign in: for pages of ours, without a caller. How often one address may is ample
 * for an office behind it; guessing is slowed elsewhere, see attempts.ts.
 */
export const signInScope: Scope = {
  name: "sign-in",
  prefix: authPath,
  signIn: null,
  checkRights: async () => {},
  problems: plainProblems,
  unknownFields: "refused",
  origins: null,
  rates: { read: { perSecond: 50, burst: 500 }, write: { perSecond: 10, burst: 100 } },
  inReference: true,
};
