import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkflowHead } from "@threadmill/client";
import type { Context, Outcome } from "../command.ts";
import { clientFor } from "../server-client.ts";
import { UserError } from "../user-error.ts";
import { writtenForm } from "./files.ts";

/** What to pull, and where to. */
export interface PullInput {
  /** all when empty */
  readonly slugs: readonly string[];
  readonly folder: string;
  /** the version that runs instead of the draft */
  readonly published: boolean;
  /** overwrite files that differ */
  readonly force: boolean;
}

/** Writes workflows to files named by their short names. Files that differ are overwritten only by force. */
export async function pullWorkflows(
  context: Context,
  { slugs, folder, published, force }: PullInput,
): Promise<Outcome> {
  const client = clientFor(context);
  const wanted: string[] = [...slugs];
  if (slugs.length === 0) for await (const { slug } of client.each<WorkflowHead>("/workflows")) wanted.push(slug);
  const pulled: { slug: string; file: string; text: string; changed: boolean }[] = [];
  for (const name of wanted) {
    const { id, slug, draft, version } = await client.workflows.get(name);
    if (published && version === null) {
      if (slugs.length > 0) throw new UserError("workflow_unpublished", `No version of ${slug} is published yet.`);
      continue;
    }
    const document =
      published && version !== null ? (await client.workflows.version(id, version.number)).document : draft;
    const file = join(folder, `${slug}.json`);
    const text = writtenForm(document);
    const there = existsSync(file) ? await readFile(file, "utf8") : null;
    if (there !== null && there !== text && !force) {
      throw new UserError("file_differs", `${file} is there and differs; nothing was written.`, {
        hint: "See `threadmill workflow diff`, or overwrite with --force.",
      });
    }
    pulled.push({ slug, file, text, changed: there !== text });
  }
  await mkdir(folder, { recursive: true });
  for (const { file, text, changed } of pulled) if (changed) await writeFile(file, text);
  const lines = pulled.map(({ file, changed }) => `${file}${changed ? "" : " is up to date"}`);
  return {
    json: { workflows: pulled.map(({ slug, file, changed }) => ({ slug, file, changed })) },
    text: lines.length === 0 ? "There are no workflows." : lines.join("\n"),
  };
}
