import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import type { Pool } from "pg";
import type { TestApi } from "../test-api.ts";
import { casesFor } from "./cases.ts";
import type { Operation } from "./routes.ts";
import { judged } from "./run.ts";
import type { World } from "./world.ts";

/**
 * What is written although a request is refused: that it came, by whose token or guess; and how far what follows the log
 * is, whoever asks.
 */
const meant =
  /^(receipts|idempotency_keys|directory_tokens|directory_sessions|directory_attempts|followers|lanes|presence|audit)/;

/** What was looked at, and what refused requests left behind. */
export interface LeftBehind {
  readonly refused: number;
  readonly found: readonly string[];
}

/** Sends writing requests one by one, and tells which of the refused ones changed a row of any table. */
export async function leftBehind(
  api: TestApi,
  world: World,
  operations: readonly Operation[],
  { cases, seed }: { readonly cases: number; readonly seed: number },
): Promise<LeftBehind> {
  const { pool } = api.server.database;
  const writing = operations.filter((one) => one.method !== "GET" && !one.streams);
  const digestOf = await digester(pool);
  const found = new Set<string>();
  let refused = 0;
  await world.look();
  let before = await quiet(digestOf);
  for (const one of fc.sample(casesFor(writing, world), { seed, numRuns: cases })) {
    const changed: (readonly string[])[] = [];
    // others write meanwhile, such as what follows an earlier case: what a refused request does it does again
    do {
      const { status } = await judged(api, world, one);
      if (status < 400) {
        before = await quiet(digestOf);
        changed.length = 0;
        break;
      }
      if (changed.length === 0) refused += 1;
      const after = await digestOf();
      changed.push([...after].filter(([table, digest]) => before.get(table) !== digest).map(([table]) => table));
      if (changed.at(-1)?.length !== 0) before = await quiet(digestOf);
    } while (changed.at(-1)?.length !== 0 && changed.length < 3);
    if (changed.length === 3 && changed.at(-1)?.length !== 0)
      found.add(`${one.operation.method} ${one.operation.path} changes ${changed.at(-1)?.join(", ")}: ${one.body}`);
  }
  return { refused, found: [...found] };
}

type Digest = ReadonlyMap<string, string>;

/** Reads of every table how many rows it has and which versions of them. */
async function digester(pool: Pool): Promise<() => Promise<Digest>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  const parts = tables
    .filter(({ name }) => !meant.test(name))
    .map(
      ({ name }) =>
        `select '${name}' as name, count(*) || ' ' || coalesce(sum(hashtext(t.ctid::text || t.xmin::text)), 0) as digest from ${name} t`,
    );
  const text = parts.join("\nunion all\n");
  return async () => {
    const { rows } = await pool.query<{ name: string; digest: string }>(text);
    return new Map(rows.map(({ name, digest }) => [name, digest]));
  };
}

/** Waits until nothing is written any more, for a while at the most. */
async function quiet(digestOf: () => Promise<Digest>): Promise<Digest> {
  let last = await digestOf();
  for (let tries = 0; tries < 100; tries += 1) {
    await delay(40);
    const now = await digestOf();
    if ([...now].every(([table, digest]) => last.get(table) === digest)) return now;
    last = now;
  }
  return last;
}
