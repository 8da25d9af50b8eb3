import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { command, type Home, resultOf, testLanes, type TestEngine, type TestLanes } from "../lanes/test-lanes.ts";
import { freshId } from "../lanes/fresh-id.ts";
import { readEvents, type LogRow } from "../lanes/log-format.ts";
import type { Place } from "../lanes/port.ts";
import { systemClock } from "../process/clock.ts";
import { createPresence } from "./presence.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

interface Process extends AsyncDisposable {
  readonly id: string;
  open(user: string): void;
  close(user: string): void;
  stop(): Promise<void>;
}

/** A process that sees who has pages open; the pages are a test's word. */
function process(home: Home, engine: TestEngine, graceSeconds = 1): Process {
  const listeners = new Set<(place: Place, user: string, here: boolean) => void>();
  const id = randomUUID();
  const service = createPresence({
    pool: lanes.pool,
    engine,
    live: {
      onUser(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    process: id,
    clock: systemClock,
    random: Math.random,
    log: { warn: () => {}, error: (fields, text) => expect.fail(`${text} ${JSON.stringify(fields)}`) },
    graceSeconds,
    pauseMs: 50,
  });
  const abort = new AbortController();
  const running = service.run(abort.signal);
  const tell = (user: string, here: boolean) => {
    for (const listener of listeners) listener(home.place, user, here);
  };
  const stop = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  return {
    id,
    open: (user) => tell(user, true),
    close: (user) => tell(user, false),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function someone(home: Home, more: { readonly kind?: string; readonly hours?: string } = {}): Promise<string> {
  const { lane, organization } = home.place;
  const id = freshId();
  await lanes.rows(
    "insert into users (lane, organization, id, kind, role, name, hours) values ($1, $2, $3, $4, 'agent', 'A', $5)",
    [lane, organization, id, more.kind ?? "person", more.hours ?? null],
  );
  await changed(home);
  return id;
}

const changed = ({ place: { lane, organization } }: Home) =>
  lanes.rows("update organizations set config_version = config_version + 1 where lane = $1 and organization = $2", [
    lane,
    organization,
  ]);

/** What the log tells of a user's presence, in order. */
async function told({ place: { lane, organization } }: Home, user: string): Promise<unknown[]> {
  const rows = await lanes.rows<LogRow>(
    "select seq, at, root, events from log where lane = $1 and organization = $2 order by seq",
    [lane, organization],
  );
  return rows
    .flatMap((row) => readEvents(row))
    .filter(({ type, refs }) => type === "user.presence_changed" && refs.user === user)
    .map(({ data }) => data?.["after"]);
}

const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

describe("who is there", () => {
  test("comes at once and goes after a while: pages that come and go are no news", async () => {
    const home = await lanes.organization({ lane: 71 });
    const user = await someone(home);
    await using own = process(home, lanes.engine(), 3);
    own.open(user);
    await soon(async () => expect(await told(home, user)).toEqual(["online"]));
    for (let n = 0; n < 20; n += 1) {
      own.close(user);
      own.open(user);
      await systemClock.sleep(20);
    }
    own.close(user);
    expect(await told(home, user)).toEqual(["online"]);
    await soon(async () => expect(await told(home, user)).toEqual(["online", "offline"]));
    own.open(user);
    await soon(async () => expect(await told(home, user)).toEqual(["online", "offline", "online"]));
  }, 60_000);

  test("is there while any process has a page of them open, and gone when the process that had it died", async () => {
    const home = await lanes.organization({ lane: 72 });
    const [user, other] = [await someone(home), await someone(home)];
    await using first = process(home, lanes.engine());
    await using second = process(home, lanes.engine());
    first.open(user);
    second.open(user);
    second.open(other);
    await soon(async () => expect(await told(home, other)).toEqual(["online"]));
    first.close(user);
    second.close(other);
    await soon(async () => expect(await told(home, other)).toEqual(["online", "offline"]));
    expect(await told(home, user)).toEqual(["online"]);
    // a process that died said last that it lives for some moments
    await lanes.rows(
      "insert into presence_leases select lane, organization, user_id, $1, now() + interval '1 second' from presence_leases where user_id = $2 limit 1",
      [randomUUID(), user],
    );
    second.close(user);
    await soon(async () => expect(await told(home, user)).toEqual(["online", "offline"]));
  }, 60_000);

  test("an orderly end lets the users of a process go, and a start that follows brings them back unseen", async () => {
    const home = await lanes.organization({ lane: 73 });
    const user = await someone(home);
    const before = process(home, lanes.engine(), 5);
    before.open(user);
    await soon(async () => expect(await told(home, user)).toEqual(["online"]));
    await before.stop();
    await using after = process(home, lanes.engine(), 5);
    after.open(user);
    await soon(async () =>
      expect(
        await lanes.rows("select process from presence_leases where user_id = $1 and process = $2", [user, after.id]),
      ).toHaveLength(1),
    );
    expect(await told(home, user)).toEqual(["online"]);
  }, 60_000);

  test("working hours say it for who keeps them, whatever pages are open; robots and assistants are not seen", async () => {
    const home = await lanes.organization({ lane: 74 });
    const { lane, organization } = home.place;
    const calendar = freshId();
    const hours = (open: boolean) =>
      JSON.stringify({
        zone: "UTC",
        hours: Object.fromEntries(
          ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((day) => [day, open ? [["00:00", "24:00"]] : []]),
        ),
        holidays: [],
      });
    await lanes.rows(
      "insert into calendars (lane, organization, id, slug, name, calendar) values ($1, $2, $3, 'always', 'Always', $4)",
      [lane, organization, calendar, hours(true)],
    );
    const user = await someone(home, { hours: calendar });
    const assistant = await someone(home, { kind: "assistant" });
    await using own = process(home, lanes.engine());
    own.open(assistant);
    await soon(async () => expect(await told(home, user)).toEqual(["online"]));
    await lanes.rows("update calendars set calendar = $1 where id = $2", [hours(false), calendar]);
    await changed(home);
    own.open(user);
    await soon(async () => expect(await told(home, user)).toEqual(["online", "offline"]));
    expect(await told(home, assistant)).toEqual([]);
    const engine = lanes.engine();
    resultOf(await engine.submit(command(home, "user.set_presence", { user, status: "online" })));
    expect(await told(home, user)).toEqual(["online", "offline", "online"]);
  }, 60_000);
});
