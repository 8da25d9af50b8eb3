import { createOrganization, type CreatedOrganization, type Server } from "@threadmill/server";
import { numberArgument, quantile, round } from "./figures.ts";
import { amountOf, fillInbox } from "./inbox-data.ts";
import { startWhole, temporaryDataDir } from "./installation.ts";

const builtIn = ["unassigned", "mine", "team", "mentions", "waiting", "snoozed", "spam", "closed", "all"] as const;
const lagSamples = 10;

/**
 * Lists of an inbox of a million conversations (`--scale`, a part of that; `--messages`, fewer of them): the first page of every built-in folder and of
 * ten mixed filters through the API's handlers, without a network, each `--rounds` times after one to warm up; and how
 * long a new conversation takes to be counted.
 */
export async function inbox(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const whole = amountOf(numberArgument(argv, "scale") ?? 1);
  const amount = { ...whole, messages: numberArgument(argv, "messages") ?? whole.messages };
  const rounds = numberArgument(argv, "rounds") ?? 40;
  const dir = await temporaryDataDir();
  const server = await startWhole(dir.path);
  try {
    const home = await createOrganization(server.database.pool, { name: "Bench" });
    await fillInbox(server, home, amount, say);
    const token = await tokenOfAgent(server, home);
    const folders = builtIn.map((name) => ({ name, url: `/folders/${name}/conversations` }));
    const filters = (await mixedFilters(server, home, token)).map(([name, filter]) => ({
      name,
      url: `/folders/all/conversations?filter=${encodeURIComponent(JSON.stringify(filter))}`,
    }));
    const foldersP99Ms = await pages(server, token, folders, rounds, say);
    const filtersP99Ms = await pages(server, token, filters, rounds, say);
    const countsMs = await pages(server, token, [{ name: "counts", url: "/folders/counts" }], rounds, say);
    say(`all counts of an agent: p99 ${round(countsMs, 1)} ms`);
    const { conversations, customers, messages } = amount;
    const countsLagMs = round(await countsLag(server, home));
    return {
      conversations,
      customers,
      messages,
      foldersP99Ms: round(foldersP99Ms, 1),
      filtersP99Ms: round(filtersP99Ms, 1),
      countsLagMs,
    };
  } finally {
    await server.stop();
    await dir.remove();
  }
}

/** The owner's eyes see what an agent's do: who is assigned and in the teams. */
async function tokenOfAgent(server: Server, home: CreatedOrganization): Promise<string> {
  const { rows } = await server.database.pool.query<{ id: string }>(
    "select id from users where organization = $1 and name = 'Agent 7'",
    [home.id],
  );
  const made = (await call(server, home.token, "POST", "/tokens", { name: "Bench", user: rows[0]?.id })) as {
    token: string;
  };
  return made.token;
}

async function mixedFilters(server: Server, home: CreatedOrganization, token: string): Promise<[string, object][]> {
  const { user } = (await call(server, token, "GET", "/me")) as { user: { id: string } };
  const { rows } = await server.database.pool.query<{ team: string; mailbox: string }>(
    `select (select id from teams where organization = $1 order by id limit 1) as team,
  (select id from mailboxes where organization = $1 order by id desc limit 1) as mailbox`,
    [home.id],
  );
  const { team, mailbox } = rows[0] as { team: string; mailbox: string };
  const is = (field: string, value: unknown, op = "is") => ({ field, op, value });
  const open = is("conversation.status", "open");
  const all = (...nodes: object[]) => ({ all: nodes });
  return [
    ["open with a frequent tag", all(open, is("conversation.tags", "refund"))],
    ["any with a rare tag", is("conversation.tags", "lawsuit")],
    [
      "a mailbox's that wait for a day",
      all(open, is("conversation.mailbox", mailbox), is("conversation.waiting_since", "1d", "not_in_last")),
    ],
    ["mine with a tag", all(open, is("conversation.assignee", user.id), is("conversation.tags", "vip"))],
    [
      "a team's of customers with a plan",
      all(open, is("conversation.team", team), is("customer.properties.plan", "pro")),
    ],
    ["closed with a frequent tag", all(is("conversation.status", "closed"), is("conversation.tags", "refund"))],
    ["open with a word in the subject", all(open, is("conversation.subject", "99", "contains"))],
    [
      "closed with a large amount",
      all(is("conversation.status", "closed"), is("conversation.properties.amount", 990, "gt")),
    ],
    [
      "unassigned of very important customers",
      all(open, { field: "conversation.assignee", op: "is_not_set" }, is("customer.tags", ["vip"], "any_of")),
    ],
    [
      "mine whose newest message has a word",
      all(open, is("conversation.assignee", user.id), is("message.text", "invoice", "contains")),
    ],
  ];
}

/** Reads each page so many times, in turn; gives the 99th of a hundred over all of them, and tells of each. */
async function pages(
  server: Server,
  token: string,
  asked: readonly { readonly name: string; readonly url: string }[],
  rounds: number,
  say: (text: string) => void,
): Promise<number> {
  const took = new Map<string, number[]>(asked.map(({ name }) => [name, []]));
  for (let n = 0; n <= rounds; n += 1) {
    for (const { name, url } of asked) {
      const started = performance.now();
      await call(server, token, "GET", url);
      // the first one reads what the others find in memory
      if (n > 0) took.get(name)?.push(performance.now() - started);
    }
  }
  for (const [name, times] of took)
    say(`${name}: p50 ${round(quantile(times, 0.5), 1)} ms, p99 ${round(quantile(times, 0.99), 1)} ms`);
  return quantile([...took.values()].flat(), 0.99);
}

/** The longest of some times from the answer to a new conversation's first message until it is counted. */
async function countsLag(server: Server, home: CreatedOrganization): Promise<number> {
  const count = async (): Promise<number> => {
    const { counts } = (await call(server, home.token, "GET", "/folders/counts")) as {
      counts: { folder: string; count: number }[];
    };
    return counts.find(({ folder }) => folder === "all")?.count ?? 0;
  };
  let longest = 0;
  for (let n = 0; n < lagSamples; n += 1) {
    const before = await count();
    await call(server, home.token, "POST", "/channels/api/messages", { from: `lag-${n}`, text: "hello" });
    const started = performance.now();
    while ((await count()) === before) await new Promise((resolve) => setTimeout(resolve, 10));
    longest = Math.max(longest, performance.now() - started);
  }
  return longest;
}

async function call(
  { app }: Server,
  token: string,
  method: "GET" | "POST",
  path: string,
  payload?: object,
): Promise<unknown> {
  const url = `/api/v2${path}`;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${answer.body}`);
  return JSON.parse(answer.body);
}
