import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Caller } from "../http/auth.ts";
import { testLanes } from "../lanes/test-lanes.ts";
import { callerName, endedCallers } from "./ended.ts";

test("a token that is revoked or over, a session that has ended, and who works there no more are found in one look", async () => {
  const lanes = await testLanes();
  const home = await lanes.organization();
  const other = await lanes.organization();
  const minute = "now() + interval '1 minute'";
  const token = async (revoked: string, expires: string): Promise<Caller> => {
    const id = randomUUID();
    await lanes.rows(
      `insert into directory_tokens (hash, id, organization, lane, user_id, name, hint, revoked_at, expires_at)
values ($1, $2, $3, $4, $5, 'T', 'tm', ${revoked}, ${expires})`,
      [randomUUID(), id, home.id, home.lane, home.owner],
    );
    return { id, place: home.place, token: { id, name: "T" }, session: null } as unknown as Caller;
  };
  const identity = randomUUID();
  await lanes.rows("insert into directory_identities (id, name, email) values ($1, 'A', 'a@acme.test')", [identity]);
  await lanes.rows(
    "insert into directory_memberships (identity, organization, lane, user_id) values ($1, $2, $3, $4)",
    [identity, home.id, home.lane, home.owner],
  );
  const session = async (expires: string, place = home.place): Promise<Caller> => {
    const id = randomUUID();
    await lanes.rows(
      `insert into directory_sessions (id, identity, token, expires_at) values ($1, $2, $3, ${expires})`,
      [id, identity, randomUUID()],
    );
    return { id, place, token: null, session: { id, identity } } as unknown as Caller;
  };
  const stay = [await token("null", "null"), await token("null", minute), await session(minute)];
  const both = stay[2] as Caller;
  const go = [
    await token("now()", "null"),
    await token("null", "now() - interval '1 second'"),
    await session("now() - interval '1 second'"),
    // the same session, in an organization that let the person go
    { ...both, place: other.place },
    { ...both, id: "gone", session: { id: randomUUID(), identity } },
  ];
  const ended = await endedCallers(lanes.pool, [...stay, ...go]);
  expect([...ended].sort()).toEqual(go.map(callerName).sort());
  await lanes.close();
});
