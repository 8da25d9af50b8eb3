import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createOrganization, type CreatedOrganization, type Server } from "@threadmill/server";
import { median, numberArgument, round } from "./figures.ts";
import { startWhole, temporaryDataDir } from "./installation.ts";

const changes = 31;

/**
 * What many published workflows cost while nothing sets them off: reading them for the first time, what the process then
 * holds of each, and how long a change of a team keeps the organization's lane.
 */
export async function configuration(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const workflows = numberArgument(argv, "workflows") ?? 10_000;
  const dir = await temporaryDataDir();
  const server = await startWhole(dir.path);
  try {
    const home = await createOrganization(server.database.pool, { name: "Bench" });
    const place = { lane: home.lane, organization: home.id };
    const team = (await call(server, home, "POST", "/teams", { name: "Billing" })) as { id: string };
    await fill(server, home, workflows);
    say(`${workflows} workflows are published`);
    const heapBefore = heapUsed();
    const started = performance.now();
    await server.engine.settings(place);
    const loadMs = performance.now() - started;
    const bytesPerWorkflow = (heapUsed() - heapBefore) / workflows;
    const send = (n: number): Promise<unknown> =>
      server.engine.submit({
        place,
        type: "message.receive",
        actor: { kind: "channel", id: home.channels.api },
        input: { channel: home.channels.api, from: `customer-${n}`, text: "hello" },
      });
    const firstMessageMs = await timed(() => send(0));
    const [requestMs, heldMs, takenOverMs]: [number[], number[], number[]] = [[], [], []];
    for (let n = 1; n <= changes; n += 1) {
      const usual = median([
        await timed(() => send(3 * n)),
        await timed(() => send(3 * n)),
        await timed(() => send(3 * n)),
      ]);
      const before = await heldSeconds(server);
      requestMs.push(await timed(() => call(server, home, "PATCH", `/teams/${team.id}`, { name: `Billing ${n}` })));
      heldMs.push(1000 * ((await heldSeconds(server)) - before));
      // the next batch takes the change over while it holds the lane
      takenOverMs.push(Math.max(0, (await timed(() => send(3 * n))) - usual));
    }
    return {
      workflows,
      changeHoldsLaneMs: round(median(heldMs), 1),
      takenOverMs: round(median(takenOverMs), 1),
      requestMs: round(median(requestMs), 1),
      bytesPerWorkflow: round(bytesPerWorkflow),
      loadMs: round(loadMs),
      firstMessageMs: round(firstMessageMs),
      bytesPerMatchedWorkflow: round((heapUsed() - heapBefore) / workflows),
    };
  } finally {
    await server.stop();
    await dir.remove();
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

/** For how long changes of settings have had their lanes so far, in seconds, as the server counts it. */
async function heldSeconds({ app }: Server): Promise<number> {
  const { body } = await app.inject({ method: "GET", url: "/metrics" });
  const sum = /^threadmill_settings_change_seconds_sum ([\d.e+-]+)$/m.exec(body)?.[1];
  if (sum === undefined) throw new Error("/metrics says nothing of changes of settings");
  return Number(sum);
}

/** Bytes of the heap that are in use after everything that can go is gone. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let n = 0; n < 3; n += 1) collect();
  return process.memoryUsage().heapUsed;
}

async function call(
  { app }: Server,
  { token }: CreatedOrganization,
  method: "POST" | "PATCH",
  path: string,
  payload: object,
): Promise<unknown> {
  const answer = await app.inject({
    method,
    url: `/api/v2${path}`,
    headers: { authorization: `Bearer ${token}` },
    payload,
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.body}`);
  return JSON.parse(answer.body);
}

/** One workflow through the API, and the others as copies of its rows: each looks for a word of its own in a message. */
async function fill(server: Server, home: CreatedOrganization, count: number): Promise<void> {
  const document = {
    name: "Copy 0",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund0" } }],
    start: "tag",
    steps: {
      tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "who" },
      who: {
        branch: [{ when: { field: "customer.properties.plan", op: "is", value: "pro" }, next: "page" }],
        next: "reply",
      },
      page: { action: "conversation.assign", input: { team: "billing" }, next: "reply" },
      reply: { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}, we got it" } },
    },
  };
  await call(server, home, "POST", "/workflows?publish=true", document);
  const { pool } = server.database;
  await pool.query(
    `with first as (select w.lane, w.organization, w.draft, w.created_at, v.document, v.publisher, v.published_at, v.hash
  from workflows w join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
  where w.lane = $1 and w.organization = $2),
numbers as (select n, gen_random_uuid() as workflow, gen_random_uuid() as version from generate_series(1, $3::int - 1) n),
versions as (
  insert into workflow_versions (lane, organization, id, workflow, number, document, hash, publisher, published_at)
  select lane, organization, version, workflow, 1,
    jsonb_set(document, '{triggers,0,when,value}', to_jsonb('refund' || n)), hash, publisher, published_at
  from first, numbers)
insert into workflows (lane, organization, id, slug, name, draft, enabled, published, named, created_at)
select lane, organization, workflow, 'copy-' || n, 'Copy ' || n, draft, true, version, version, created_at from first, numbers`,
    [home.lane, home.id, count],
  );
  await pool.query("analyze workflows, workflow_versions");
  await pool.query("update organizations set config_version = config_version + 1 where organization = $1", [home.id]);
}
