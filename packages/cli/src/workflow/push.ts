import { canonicalJson } from "@threadmill/core";
import type { Client } from "@threadmill/client";
import type { Context, Outcome } from "../command.ts";
import { clientFor } from "../server-client.ts";
import { type DocumentFile, readDocuments } from "./files.ts";
import { findWorkflow } from "./find.ts";

/** What to push. */
export interface PushInput {
  readonly files: readonly string[];
  readonly publish: boolean;
  /** keep drafts that have mistakes */
  readonly draft: boolean;
}

interface Pushed {
  readonly file: string;
  readonly slug: string;
  readonly id: string;
  readonly created: boolean;
  /** whether the draft was another one before */
  readonly changed: boolean;
  readonly published: { readonly number: number; readonly created: boolean } | null;
}

/** Makes each document the draft of its workflow, and publishes it where asked. One after the other; stops at the first refusal. */
export async function pushWorkflows(context: Context, { files, publish, draft }: PushInput): Promise<Outcome> {
  const documents = await readDocuments(files);
  const client = clientFor(context);
  const workflows: Pushed[] = [];
  for (const document of documents) {
    const pushed = await push(client, document, { publish, draft });
    context.say(inWords(pushed));
    if (pushed.slug !== document.slug)
      context.say(
        `  the server calls it ${pushed.slug}; rename ${document.file} to ${pushed.slug}.json to be sure that it is found`,
      );
    workflows.push(pushed);
  }
  const changed = workflows.filter((one) => one.changed).length;
  return { json: { workflows }, text: `${workflows.length} workflows, ${changed} of them changed.` };
}

async function push(client: Client, file: DocumentFile, { publish, draft }: Omit<PushInput, "files">): Promise<Pushed> {
  const document = file.document as object;
  const before = await findWorkflow(client, file);
  const changed = before === null || canonicalJson({ document: before.draft }) !== canonicalJson({ document });
  const { id, slug } =
    before === null
      ? await client.workflows.create(document, { draft })
      : changed
        ? await client.workflows.replace(before.id, document, { draft })
        : before;
  const base = { file: file.file, slug, id, created: before === null, changed };
  if (!publish) return { ...base, published: null };
  const { version, created } = await client.workflows.publish(id);
  return { ...base, published: { number: version.number, created } };
}

function inWords({ file, slug, created, changed, published }: Pushed): string {
  const what = created ? "created" : changed ? "changed" : "unchanged";
  const version =
    published === null ? "" : `, version ${published.number} ${published.created ? "published" : "runs already"}`;
  return `${file}: ${slug} ${what}${version}`;
}
