import {
  type Difference,
  diffDocuments,
  isPublishable,
  validateWorkflow,
  type WorkflowDocument,
} from "@threadmill/core";
import type { Client, Workflow } from "@threadmill/client";
import type { Context, Outcome } from "../command.ts";
import { clientFor } from "../server-client.ts";
import { UserError } from "../user-error.ts";
import { readDocuments } from "./files.ts";
import { findWorkflow } from "./find.ts";

/** What to compare. */
export interface DiffInput {
  readonly files: readonly string[];
  /** with the version that runs instead of the draft */
  readonly published: boolean;
}

/** Tells what a push of the files would change on the server. */
export async function diffWorkflows(context: Context, { files, published }: DiffInput): Promise<Outcome> {
  const documents = await readDocuments(files);
  const client = clientFor(context);
  const results: { file: string; slug: string; on_server: boolean; differences: readonly Difference[] }[] = [];
  for (const file of documents) {
    const workflow = await findWorkflow(client, file);
    const there = workflow === null ? null : await serverDocument(client, workflow, published);
    const differences =
      there === null
        ? []
        : diffDocuments(comparable(there, `the server's ${file.slug}`), comparable(file.document, file.file));
    results.push({ file: file.file, slug: workflow?.slug ?? file.slug, on_server: there !== null, differences });
  }
  const same = results.every(({ on_server, differences }) => on_server && differences.length === 0);
  const lines = results.flatMap(({ file, on_server, differences }) => {
    if (!on_server) return [`${file}: not ${published ? "published" : "on the server"} yet`];
    return differences.length === 0 ? [`${file}: same`] : differences.map(({ text }) => `${file}: ${text}`);
  });
  return { json: { same, files: results }, text: lines.join("\n"), ...(!same && { exit: "refused" as const }) };
}

async function serverDocument(client: Client, { id, draft, version }: Workflow, published: boolean): Promise<unknown> {
  if (!published) return draft;
  return version === null ? null : (await client.workflows.version(id, version.number)).document;
}

/** Only what is a whole document can be compared part by part. */
function comparable(document: unknown, whose: string): WorkflowDocument {
  const { problems } = validateWorkflow(document, null);
  const [first] = problems.filter((one) => one.severity === "error");
  if (isPublishable(problems) || first === undefined) return document as WorkflowDocument;
  throw new UserError("workflow_invalid", `${whose} has mistakes: ${first.message} (at ${first.path || "/"})`, {
    hint: "`threadmill workflow validate` lists them all.",
  });
}
