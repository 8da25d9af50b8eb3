import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contextOf, type Installation, startInstallation } from "../testing/installation.ts";
import { diffWorkflows } from "./diff.ts";
import { pullWorkflows } from "./pull.ts";
import { pushWorkflows } from "./push.ts";
import { validateWorkflows } from "./validate.ts";

let installation: Installation;
let folder = "";
beforeAll(async () => {
  [installation, folder] = await Promise.all([startInstallation(), mkdtemp(join(tmpdir(), "threadmill-workflows-"))]);
}, 60_000);
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true });
});

const document = (name: string, tag: string, team?: string) => ({
  name,
  kind: "automatic",
  triggers: [{ event: "message.received" }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: [tag] }, ...(team !== undefined && { next: "team" }) },
    ...(team !== undefined && { team: { action: "conversation.assign", input: { team } } }),
  },
});
const context = () => contextOf(installation.env);
async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}
const push = (files: string[], given: { publish?: boolean; draft?: boolean } = {}) =>
  pushWorkflows(context(), { files, publish: false, draft: false, ...given });

test("push creates, changes and publishes; diff and pull tell what there is", async () => {
  const path = await file("refund-requests.json", document("Refund requests", "refund"));
  const diff = (published = false) => diffWorkflows(context(), { files: [path], published });
  expect(await diff()).toMatchObject({
    exit: "refused",
    json: { same: false, files: [{ on_server: false, differences: [] }] },
  });

  expect((await push([path])).json).toMatchObject({
    workflows: [{ slug: "refund-requests", created: true, changed: true, published: null }],
  });
  expect(await diff()).toMatchObject({ json: { same: true } });
  expect((await diff()).exit).toBeUndefined();
  expect(await diff(true)).toMatchObject({ exit: "refused" });
  expect((await push([path], { publish: true })).json).toMatchObject({
    workflows: [{ created: false, changed: false, published: { number: 1, created: true } }],
  });
  expect((await push([path], { publish: true })).json).toMatchObject({
    workflows: [{ changed: false, published: { number: 1, created: false } }],
  });

  await file("refund-requests.json", document("Refund requests", "money"));
  const differs = await diff(true);
  expect(differs.exit).toBe("refused");
  expect(differs.text).toMatch(/tags/);
  expect((await push([path], { publish: true })).json).toMatchObject({
    workflows: [{ changed: true, published: { number: 2, created: true } }],
  });

  const pulled = join(folder, "pulled");
  const pull = (given: { published?: boolean; force?: boolean } = {}) =>
    pullWorkflows(context(), { slugs: [], folder: pulled, published: false, force: false, ...given });
  expect((await pull()).json).toEqual({
    workflows: [{ slug: "refund-requests", file: join(pulled, "refund-requests.json"), changed: true }],
  });
  const copy = join(pulled, "refund-requests.json");
  expect(JSON.parse(await readFile(copy, "utf8"))).toEqual(document("Refund requests", "money"));
  expect((await pull()).json).toMatchObject({ workflows: [{ changed: false }] });
  await writeFile(copy, "{}");
  await expect(pull()).rejects.toMatchObject({ code: "file_differs" });
  expect(await readFile(copy, "utf8")).toBe("{}");
  expect((await pull({ force: true, published: true })).json).toMatchObject({ workflows: [{ changed: true }] });
  expect(await diffWorkflows(context(), { files: [copy], published: true })).toMatchObject({ json: { same: true } });
});

test("a file that is named unlike its document is found by the document's name", async () => {
  const path = await file("other.json", document("Some other name", "a"));
  const said = context();
  await pushWorkflows(said, { files: [path], publish: false, draft: false });
  expect(said.said.join("\n")).toMatch(/the server calls it some-other-name/);
  expect((await push([path])).json).toMatchObject({
    workflows: [{ slug: "some-other-name", created: false, changed: false }],
  });
});

test("validate tells what is wrong, with names only where there is a server to ask", async () => {
  const good = await file("good.json", document("Good", "a"));
  const nameless = await file("team.json", document("Team", "a", "nobody"));
  const bad = await file("bad.json", { ...document("Bad", "a"), surprise: 1 });
  const validate = (files: string[], offline: boolean) => validateWorkflows(context(), { files, offline });
  expect((await validate([good, nameless], true)).exit).toBeUndefined();
  expect(await validate([good, nameless], false)).toMatchObject({
    exit: "refused",
    json: { valid: false, files: [{ publishable: true }, { publishable: false }] },
  });
  expect(await validate([bad], true)).toMatchObject({
    exit: "refused",
    json: { files: [{ problems: [{ code: "unknown_field", path: "/surprise" }] }] },
  });
  await expect(push([nameless])).rejects.toMatchObject({ code: "workflow_invalid", status: 422 });
  expect((await push([nameless], { draft: true })).json).toMatchObject({ workflows: [{ created: true }] });
});

test("files that are no documents", async () => {
  await expect(push([await file("broken.json", "{")])).rejects.toMatchObject({ code: "file_invalid" });
  await expect(push([await file("Not good.json", "{}")])).rejects.toMatchObject({ code: "file_misnamed" });
  await expect(push([join(folder, "none.json")])).rejects.toMatchObject({ code: "file_unreadable" });
  await expect(push([join(folder, "x", "good.json"), join(folder, "good.json")])).rejects.toMatchObject({
    code: "file_unreadable",
  });
});
