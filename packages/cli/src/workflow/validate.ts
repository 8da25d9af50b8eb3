import { isPublishable, validateWorkflow, type WorkflowProblem } from "@threadmill/core";
import type { Context, Outcome } from "../command.ts";
import { clientFor } from "../server-client.ts";
import { readDocuments } from "./files.ts";

/** What to validate. */
export interface ValidateInput {
  readonly files: readonly string[];
  /** without a server: then names of mailboxes, teams ... are not looked up */
  readonly offline: boolean;
}

/** Tells all that is wrong with documents. */
export async function validateWorkflows(context: Context, { files, offline }: ValidateInput): Promise<Outcome> {
  const documents = await readDocuments(files);
  const client = offline ? null : clientFor(context);
  const results: { file: string; publishable: boolean; problems: readonly WorkflowProblem[] }[] = [];
  for (const { file, document } of documents) {
    const { problems } = client === null ? validateWorkflow(document, null) : await client.workflows.validate(document);
    results.push({ file, publishable: isPublishable(problems), problems });
  }
  const valid = results.every(({ publishable }) => publishable);
  const lines = results.flatMap(({ file, problems }) =>
    problems.length === 0
      ? [`${file}: ok`]
      : problems.map(
          ({ severity, path, message, code }) => `${file}: ${severity} at ${path || "/"}: ${message} (${code})`,
        ),
  );
  return { json: { valid, files: results }, text: lines.join("\n"), ...(!valid && { exit: "refused" as const }) };
}
