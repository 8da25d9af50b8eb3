import { ApiProblem, type Client, type Workflow, type WorkflowHead } from "@threadmill/client";
import type { DocumentFile } from "./files.ts";

/**
 * The server's workflow of a file: the one with its short name, else the only one with the document's name. The server
 * makes short names from names, so that a file named otherwise is found by its document's.
 */
export async function findWorkflow(client: Client, { slug, document }: DocumentFile): Promise<Workflow | null> {
  const found = await getOrNull(client, slug);
  if (found !== null) return found;
  const name = (document as { readonly name?: unknown } | null)?.name;
  const named: WorkflowHead[] = [];
  for await (const head of client.each<WorkflowHead>("/workflows")) if (head.name === name) named.push(head);
  return named.length === 1 ? client.workflows.get((named[0] as WorkflowHead).id) : null;
}

async function getOrNull(client: Client, slug: string): Promise<Workflow | null> {
  try {
    return await client.workflows.get(slug);
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null;
    throw error;
  }
}
