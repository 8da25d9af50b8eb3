import { findBadText } from "@threadmill/core";
import type { FastifyRequest } from "fastify";
import { badTextProblem } from "./body-guard.ts";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";

/** A hook that refuses an address with text that no table takes; else the database would complain of it. */
export async function badQuery(request: FastifyRequest): Promise<void> {
  // plain objects: findBadText walks own keys, and these have no prototype
  if (findBadText(request.params) !== null) throw new ProblemAnswer(problem("not_found"));
  const bad = findBadText(request.query);
  if (bad !== null) throw new ProblemAnswer(badTextProblem(bad));
}
