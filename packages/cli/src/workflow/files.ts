import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../user-error.ts";

/** A workflow document in a file; the file's name without `.json` is the workflow's short name. */
export interface DocumentFile {
  readonly file: string;
  readonly slug: string;
  readonly document: unknown;
}

/** Reads documents. Throws a `UserError` that names the first file that is none. */
export async function readDocuments(files: readonly string[]): Promise<DocumentFile[]> {
  const read = await Promise.all(files.map(readDocument));
  const seen = new Map<string, string>();
  for (const { file, slug } of read) {
    const other = seen.get(slug);
    if (other !== undefined) throw new UserError("file_twice", `${other} and ${file} are both named ${slug}.`);
    seen.set(slug, file);
  }
  return read;
}

async function readDocument(file: string): Promise<DocumentFile> {
  const slug = basename(file).replace(/\.json$/, "");
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(slug)) {
    throw new UserError("file_misnamed", `${file} is not named like a workflow.`, {
      hint: "Such as refund-requests.json: small letters, digits, dashes.",
    });
  }
  try {
    return { file, slug, document: JSON.parse(await readFile(file, "utf8")) as unknown };
  } catch (error) {
    const what = error instanceof SyntaxError ? "is no JSON" : "cannot be read";
    throw new UserError(
      error instanceof SyntaxError ? "file_invalid" : "file_unreadable",
      `${file} ${what}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** How a document is written to a file. */
export const writtenForm = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;
