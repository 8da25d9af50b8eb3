import { everywhere, type Reach } from "@threadmill/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command, type Home, incoming, phone, resultOf, testLanes, type TestLanes } from "../lanes/test-lanes.ts";
import { freshId } from "../lanes/fresh-id.ts";
import { liveHouse } from "./test-house.ts";
import { openPage, type TestPage } from "./test-page.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

const changed = ({ place: { lane, organization } }: Home) =>
  lanes.rows("update organizations set config_version = config_version + 1 where lane = $1 and organization = $2", [
    lane,
    organization,
  ]);

async function mailbox(home: Home, slug: string): Promise<string> {
  const { lane, organization } = home.place;
  const id = freshId();
  await lanes.rows("insert into mailboxes (lane, organization, id, slug, name) values ($1, $2, $3, $4, $4)", [
    lane,
    organization,
    id,
    slug,
  ]);
  await changed(home);
  return id;
}

const typesOf = (page: TestPage, conversation: string) =>
  page.changes().flatMap(({ type, refs }) => (refs.conversation === conversation ? [type] : []));

test("who may read a part is told of that part: what leaves it is gone, what comes is told, and so are its customers alone", async () => {
  const home = await lanes.organization({ lane: 81 });
  const [support] = await lanes.rows<{ id: string }>("select id from mailboxes where lane = 81 order by id");
  const away = await mailbox(home, "away");
  let reach: Reach = everywhere;
  await using own = await liveHouse(lanes, home, { settings: (given) => ({ ...given, reach: () => reach }) });
  const { engine } = own;
  const all = await openPage(own.server);
  reach = { mailboxes: [support?.id ?? ""], of: "all", user: home.owner, teams: [] };
  const part = await openPage(own.server);
  const issue = async (type: string, input: object) => resultOf(await engine.submit(command(home, type, input)));
  const write = async (n: number, text: string) => resultOf(await engine.submit(incoming(home, phone(n), text)));

  const { conversation = "", customer = "" } = await write(1, "one");
  await part.until((page) => typesOf(page, conversation).includes("message.received"));
  await issue("conversation.move", { conversation, mailbox: away });
  await part.until((page) => page.named("gone").length === 1);
  expect(part.named("gone")[0]?.data).toEqual([{ noun: "conversation", id: conversation }]);
  await issue("conversation.set_topic", { conversation, topic: "hidden topic" });
  await issue("customer.set_property", { customer, name: "hidden", value: "hidden value" });
  const other = await write(2, "two");
  await issue("customer.set_property", { customer: other["customer"], name: "shown", value: "shown value" });
  // read while it stood elsewhere: later it would be told what may be read by then
  await part.until((page) => JSON.stringify(page.heard).includes("shown value"));
  await issue("conversation.move", { conversation, mailbox: support?.id });
  await part.until((page) => typesOf(page, conversation).at(-1) === "conversation.moved");
  await all.until((page) => typesOf(page, conversation).filter((type) => type === "conversation.moved").length === 2);
  expect(JSON.stringify(all.heard)).toContain("hidden");
  expect(JSON.stringify(part.heard)).not.toContain("hidden");
  expect(JSON.stringify(part.heard)).toContain("shown value");

  // one who sees a part and comes back is told from memory what was read for others, as far as it is for them
  const back = await openPage(own.server, { after: all.heard[0]?.id as number });
  await back.until((page) => typesOf(page, conversation).length > 2);
  expect(back.named("reload")).toEqual([]);
  for (const page of [all, part, back]) page.kill();
}, 60_000);

test("rights that change while a page is open take effect with the event that changes them", async () => {
  const home = await lanes.organization({ lane: 82 });
  const away = await mailbox(home, "away");
  let reach: Reach = everywhere;
  await using own = await liveHouse(lanes, home, { settings: (given) => ({ ...given, reach: () => reach }) });
  const { engine } = own;
  const page = await openPage(own.server);
  const first = resultOf(await engine.submit(incoming(home, phone(1), "before")));
  await page.until((each) => typesOf(each, first["conversation"] as string).length > 0);
  reach = { mailboxes: [away], of: "all", user: null, teams: [] };
  const answer = await engine.changeSettings(home.place, { kind: "user", id: home.owner }, async () => ({
    noun: "user",
    id: home.owner,
    before: {},
    after: {},
    result: {},
  }));
  expect(answer.ok).toBe(true);
  await page.until((each) => each.named("reload").length === 1);
  expect(page.named("reload")[0]).toMatchObject({ data: { reason: "rights_changed" }, id: expect.any(Number) });
  const second = resultOf(await engine.submit(incoming(home, phone(2), "after")));
  resultOf(await engine.submit(command(home, "user.set_presence", { user: home.owner, status: "away" })));
  await page.until((each) => each.changes().some(({ type }) => type === "user.presence_changed"));
  expect(typesOf(page, second["conversation"] as string)).toEqual([]);
  page.kill();
}, 60_000);
