import { afterAll, beforeAll, expect, test } from "vitest";
import { listJobs, showJob, steerJob } from "./job.ts";
import { clientFor } from "./server-client.ts";
import { contextOf, type Installation, startInstallation } from "./testing/installation.ts";

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
}, 60_000);
afterAll(() => installation.close());

test("jobs are listed, shown with what was refused, cancelled and resumed", async () => {
  const context = contextOf(installation.env);
  expect(await listJobs(context, { all: true })).toEqual({ json: { items: [] }, text: "No jobs." });
  const ids = ["01890000-0000-7000-8000-000000000000", "01890000-0000-7000-8000-000000000001"];
  const { id } = await clientFor(context).request<{ readonly id: string }>("POST", "/jobs", {
    kind: "conversations.change",
    parameters: { selection: { ids }, command: "conversation.close", input: {} },
  });
  await expect
    .poll(async () => (await showJob(context, id)).text.split("\n"), { timeout: 30_000 })
    .toEqual([
      expect.stringContaining("conversations.change  done  2 of 2, 2 refused"),
      ...ids.map((item) => expect.stringContaining(`${item}  conversation_not_found`)),
    ]);
  expect((await listJobs(context, { all: false })).json).toEqual({ items: [] });
  expect((await listJobs(context, { all: true })).text).toContain(id);
  await expect(steerJob(context, "resume", id)).rejects.toMatchObject({ code: "job_state" });
  const { pool } = installation.server.database;
  await pool.query("update directory_jobs set state = 'paused' where id = $1", [id]);
  expect((await listJobs(context, { all: false })).text).toContain("paused");
  expect((await steerJob(context, "resume", id)).json).toMatchObject({
    id,
    state: expect.stringMatching(/waiting|running|done/),
  });
  await pool.query("update directory_jobs set state = 'paused' where id = $1", [id]);
  expect((await steerJob(context, "cancel", id)).json).toMatchObject({ id, state: "cancelled" });
});
