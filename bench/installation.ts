import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CreatedOrganization,
  createLog,
  createOrganization,
  loadConfig,
  type Server,
  startServer,
} from "@threadmill/server";

/** A directory that is gone afterwards, with a database that had to be kept elsewhere. */
export async function temporaryDataDir(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "threadmill-bench-"));
  const remove = async (): Promise<void> => {
    const pointer = await readFile(join(path, "postgres-location.json"), "utf8").catch(() => null);
    if (pointer !== null) await rm((JSON.parse(pointer) as { home: string }).home, { recursive: true, force: true });
    await rm(path, { recursive: true, force: true });
  };
  return { path, remove };
}

/** Starts a whole server in this process, as `main` does: embedded PostgreSQL with its shipped settings, fsync on. */
export async function startWhole(dataDir: string): Promise<Server> {
  const loaded = loadConfig({ THREADMILL_DATA_DIR: dataDir, PORT: "0" }, []);
  if (loaded.kind !== "config") throw new Error(JSON.stringify(loaded));
  return startServer(loaded.config, createLog({ level: "warn" }));
}

/** An organization that a measurement fills. */
export interface Tenant {
  readonly id: string;
  readonly lane: number;
  readonly channel: string;
  readonly token: string;
}

/** What the third of the three steps does. */
export type Third = "assign" | "reply";

/** Makes organizations, each in a lane of its own, with the three-step workflow published by its owner through the API. */
export async function makeTenants(server: Server, count: number, third: Third): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let n = 0; n < count; n += 1) {
    const made = await createOrganization(server.database.pool, { name: `Bench ${n}` });
    await publish(server, made, third);
    tenants.push({ id: made.id, lane: made.lane, channel: made.channels.sms, token: made.token });
  }
  return tenants;
}

async function publish({ app }: Server, { owner, token }: CreatedOrganization, third: Third): Promise<void> {
  const last =
    third === "assign"
      ? { action: "conversation.assign", input: { user: owner } }
      : { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}, we got it" } };
  const document = {
    name: "Refunds",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
    start: "tag",
    steps: {
      tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "topic" },
      topic: { action: "conversation.set_topic", input: { topic: "Refunds" }, next: "last" },
      last,
    },
  };
  const answer = await app.inject({
    method: "POST",
    url: "/api/v2/workflows?publish=true",
    headers: { authorization: `Bearer ${token}` },
    payload: document,
  });
  if (answer.statusCode !== 201) throw new Error(`The workflow was refused: ${answer.body}`);
}

/** The n-th message: each from a new customer, each starting the workflow. */
export function message(n: number): { readonly from: string; readonly text: string } {
  return {
    from: `+1555${String(2_000_000 + (n % 8_000_000)).padStart(7, "0")}`,
    text: `I want a refund for order ${n}`,
  };
}
