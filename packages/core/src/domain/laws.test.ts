import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Message } from "../model/message.ts";
import type { Change, Event, LoggedTable } from "../model/event.ts";
import type { Json } from "../model/common.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { addressRows, loadRows, memoryWorld, sparseWorld, standsFor, tableOf } from "../testing/world.ts";
import { hasMembers } from "./members.ts";
import { apply, type Decision } from "./decide.ts";
import { addressesByChannel } from "./conversation/channels.ts";
import { isOpen, stateOf } from "./derived.ts";
import { eventTypes } from "./events.ts";
import { key, rowTables, views } from "./keys.ts";
import { type Ledger, Missing } from "./ledger.ts";
import { commands } from "./registry.ts";
import type { Row } from "./rows.ts";

// Random histories of commands over a few customers, so that they meet. A step is a number for the command and some for
// its input; what exists when it is issued decides what they mean.

interface Step {
  readonly pick: number;
  readonly dice: readonly number[];
  readonly ms: number;
}

const steps = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      pick: fc.nat(999),
      dice: fc.array(fc.nat(999), { minLength: 6, maxLength: 6 }),
      // often the same instant: what is newest must not depend on the clock's resolution
      ms: fc.constantFrom(0, 0, 1, 1000, 86_400_000 * 4),
    }),
    { minLength: 1, maxLength, size: "max" },
  );

type Input = Record<string, Json>;
type Dice = (n: number) => number;
type Made = Record<LoggedTable, string[]>;

const phones = ["+14155550101", "+14155550102", "+14155550103"];
const mails = ["a@example.com", "b@example.com"];
const tags = ["vip", "VIP", "refund", "late", "x", " y "];
const users = ["ada@acme.test", ids.users.ben, ids.users.cleo, "dan@acme.test"];
const teams = ["billing", "support", "nobody", "former"];
const of = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

/** One of the newest few, so that commands meet; now and then one that does not exist. */
const one = (made: readonly string[], n: number): string =>
  n % 9 === 0 || made.length === 0 ? testId(999) : of(made.slice(-5), n >> 3);

const addressed = (d: Dice): Input =>
  d(1) % 3 === 0
    ? { kind: "phone", address: of(phones, d(2)) }
    : { kind: "email", address: of([...mails, "c@example.com"], d(2)) };

/** Inputs for each command; the record is total, so a new command without one fails below. */
const inputs: Record<string, (d: Dice, made: Made) => Input> = {
  "customer.upsert": (d, made) => ({
    ...(d(0) % 3 === 0 ? { customer: one(made.customers, d(1)) } : {}),
    ...(d(0) % 2 === 0 ? { phone: of(phones, d(1)) } : {}),
    ...(d(2) % 3 === 0 ? { email: of([...mails, null], d(2)) } : {}),
    ...(d(3) % 4 === 0 ? { external_id: of(["e1", "e2"], d(3)) } : {}),
    ...(d(4) % 2 === 0 ? { first_name: of(["Ann", "Bob", null], d(4)), subscribed: d(5) % 2 === 0 } : {}),
    ...(d(5) % 3 === 0 ? { properties: { text: of(["t", 1, null], d(4)), free: of([null, 1, { a: 1 }], d(3)) } } : {}),
    ...(d(5) % 4 === 0 ? { assignee: of([...users, null], d(4)) } : {}),
  }),
  "customer.add_address": (d, made) => ({ ...customer(d, made), ...addressed(d) }),
  "customer.remove_address": (d, made) => ({ ...customer(d, made), ...addressed(d) }),
  "customer.make_address_primary": (d, made) => ({
    ...customer(d, made),
    kind: "email",
    address: of([...mails, "c@example.com"], d(2)),
  }),
  "customer.set_property": (d, made) => ({
    ...customer(d, made),
    name: of(["text", "free", "number"], d(1)),
    value: of([1, "t", null, [1]], d(2)),
  }),
  "customer.delete_property": (d, made) => ({ ...customer(d, made), name: of(["text", "free"], d(1)) }),
  "customer.subscribe": customer,
  "customer.unsubscribe": customer,
  "customer.assign": (d, made) => ({ ...customer(d, made), user: of(users, d(1)) }),
  "customer.unassign": customer,
  "customer.add_to_team": (d, made) => ({ ...customer(d, made), team: of(teams, d(1)) }),
  "customer.remove_from_team": (d, made) => ({ ...customer(d, made), team: of(teams, d(1)) }),
  "customer.add_tags": (d, made) => ({ ...customer(d, made), tags: [of(tags, d(1)), of(tags, d(2))] }),
  "customer.remove_tags": (d, made) => ({ ...customer(d, made), tags: [of(tags, d(1))] }),
  "customer.close": customer,
  "customer.add_note": (d, made) => ({ ...customer(d, made), text: of(["look", "there", " "], d(1)) }),
  "customer.edit_note": (d, made) => ({ note: one(made.notes, d(0)), text: of(["look", "there", " "], d(1)) }),
  "customer.remove_note": (d, made) => ({ note: one(made.notes, d(0)) }),
  "customer.merge": (d, made) => ({ ...customer(d, made), into: one(made.customers, d(1)) }),
  "customer.erase": (d, made) => (d(1) % 5 === 0 ? customer(d, made) : { customer: testId(999) }),
  "conversation.start": (d, made) => ({
    channel: of(["sms", "chat", "whatsapp", "email", "former"], d(1)),
    ...(d(2) % 2 === 0 ? { to: d(1) % 5 === 3 ? of(mails, d(3)) : of(phones, d(3)) } : {}),
    ...(d(4) % 3 === 0 ? customer(d, made) : {}),
  }),
  "conversation.open": conversation,
  "conversation.close": conversation,
  "conversation.set_pending": conversation,
  "conversation.mark_spam": conversation,
  "conversation.snooze": (d, made) => ({
    ...conversation(d, made),
    ...(d(1) % 2 === 0 ? { until: of(["2027-01-01T00:00:00Z", "2020-01-01T00:00:00Z"], d(2)) } : {}),
  }),
  "conversation.assign": (d, made) => ({
    ...conversation(d, made),
    ...(d(1) % 2 === 0 ? { user: of([ids.users.ben, ...users], d(2)) } : { team: of(teams, d(2)) }),
    ...(d(3) % 2 === 0 ? { by: of(["least_busy", "round_robin", "last_replied"], d(4)) } : {}),
    ...(d(5) % 4 === 0 ? { only_available: true } : {}),
  }),
  "conversation.unassign": (d, made) => ({
    ...conversation(d, made),
    ...(d(1) % 2 === 0 ? { what: of(["user", "team", "both"], d(2)) } : {}),
  }),
  "conversation.leave_behind": (d, made) => ({ ...conversation(d, made), user: ids.users.ben }),
  "conversation.set_topic": (d, made) => ({ ...conversation(d, made), topic: of(["billing", null, " "], d(1)) }),
  "conversation.add_tags": (d, made) => ({ ...conversation(d, made), tags: [of(tags, d(1))] }),
  "conversation.remove_tags": (d, made) => ({ ...conversation(d, made), tags: [of(tags, d(1))] }),
  "conversation.set_property": (d, made) => ({
    ...conversation(d, made),
    name: of(["text", "choice"], d(1)),
    value: of(["pro", null], d(2)),
  }),
  "conversation.move": (d, made) => ({ ...conversation(d, made), mailbox: of(["support", "sales", "former"], d(1)) }),
  "conversation.merge": (d, made) => ({ ...conversation(d, made), into: one(made.conversations, d(1)) }),
  "message.receive": (d) => ({
    channel: of(["sms", "chat", "whatsapp", "sms", "email"], d(1)),
    from: d(1) % 5 === 4 ? of([...mails, "no address"], d(2)) : of([...phones, "ACME"], d(2)),
    text: "hi",
    ...(d(3) % 3 === 0 ? { provider_id: of(["p1", "p2", "p3"], d(4)) } : {}),
  }),
  "message.send": (d, made) => ({
    ...conversation(d, made),
    ...(d(2) % 3 === 0 ? { channel: of(["sms", "whatsapp", "email", "chat", "former"], d(3)) } : {}),
    text: of(["hello", " "], d(1) % 5 === 0 ? 1 : 0),
  }),
  "message.note": (d, made) => ({ ...conversation(d, made), text: "look" }),
  "message.tag": (d, made) => ({ message: one(made.messages, d(0)), tags: [of(tags, d(1))] }),
  "message.untag": (d, made) => ({ message: one(made.messages, d(0)), tags: [of(tags, d(1))] }),
  "message.record_delivery": (d, made) => ({
    ...(d(1) % 4 === 0 ? { channel: "sms" } : { message: one(made.messages, d(0)) }),
    delivery: of(["sent", "delivered", "read", "failed", "held"], d(2)),
    ...(d(3) % 2 === 0 ? { provider_id: of(["q1", "q2"], d(4)) } : {}),
  }),
  "user.set_presence": (d) => ({ user: of(users, d(0)), status: of(["online", "away", "offline", "automatic"], d(1)) }),
};

function customer(d: Dice, made: Made): Input {
  return { customer: one(made.customers, d(0)) };
}

function conversation(d: Dice, made: Made): Input {
  return { conversation: one(made.conversations, d(0)) };
}

// what is common comes often, so that histories get somewhere
const types = [
  ...Object.keys(inputs),
  ...Array.from({ length: 6 }, () => ["message.receive", "conversation.start", "message.send"]).flat(),
  "conversation.assign",
  "conversation.leave_behind",
];
/** Many conversations of few customers in one instant, opened and closed in any order. */
const crowd = [
  "message.receive",
  "message.receive",
  "conversation.start",
  "conversation.close",
  "conversation.open",
  "customer.close",
  "customer.merge",
  "conversation.merge",
  "conversation.merge",
  "message.send",
];
/** Few customers who write on several channels, are written to on others, and whose conversations become one. */
const talkers = [
  ...Array.from({ length: 3 }, () => ["message.receive", "conversation.merge", "message.send"]).flat(),
  "conversation.merge",
  "conversation.close",
  "customer.merge",
];
const who = [actors.admin, actors.admin, actors.system, actors.workflow, actors.agent];

class History {
  readonly made: Made = { customers: [], conversations: [], messages: [], notes: [] };
  readonly events: Event[] = [];
  readonly answers: Decision["answer"][] = [];
  readonly folded = new Map<string, Row>();

  readonly #menu: readonly string[];

  constructor(menu: readonly string[] = types) {
    this.#menu = menu;
  }

  command(step: Step) {
    const type = of(this.#menu, step.pick);
    const d: Dice = (n) => step.dice[n] as number;
    return { type, input: (inputs[type] as (typeof inputs)[string])(d, this.made), actor: of(who, d(5)) };
  }
}

/** Takes a decision into a history, minding that each change says truly what stood there before. */
function expectTrue(history: History, type: string, decision: Decision): void {
  history.answers.push(decision.answer);
  for (const event of decision.events) {
    expect(commands.get(type)?.events).toContain(event.type);
    for (const change of event.changes) {
      if (change.before === null) {
        history.made[change.table].push(change.id);
        continue;
      }
      const row = history.folded.get(`${change.table}/${change.id}`) as Row;
      for (const [field, value] of Object.entries(change.before)) {
        if (event.type === "customer.erased") continue;
        const [stood, told] = hasMembers(field) ? [membersTold(change, field, row), value] : [row[field], value];
        expect(told).toEqual(stood);
      }
      expect(Object.keys(change.after)).toEqual(Object.keys(change.before));
      apply({ ...event, changes: [change] }, history.folded);
    }
    apply({ ...event, changes: event.changes.filter((change) => change.before === null) }, history.folded);
    history.events.push(event);
  }
}

/** What stood there of the members that a change tells of, on either side. */
function membersTold({ before, after }: Change, field: string, row: Row): object {
  const names = new Set([before?.[field], after[field]].flatMap((members) => Object.keys(members as object)));
  return Object.fromEntries(Object.entries(row[field] as object).filter(([name]) => names.has(name)));
}

const everything = new Set<string>([...rowTables, ...views]);
const engineFields = new Set(["wake_at", "fired", "guards"]);
const logged = (row: object): Row =>
  Object.fromEntries(Object.entries(row).filter(([field]) => !engineFields.has(field)));

/** The rows of a ledger on an empty world. */
const rowsOf = (ledger: Ledger) => new Map([...ledger.writes(new Set(rowTables))].filter(([, row]) => row !== null));

function play(history: History, stage: Scene, step: Step, n: number): Decision {
  const { type, input, actor } = history.command(step);
  stage.pass(step.ms);
  const decision = stage.issue(type, input, { actor, root: `root-${n}`, at: stage.now() });
  expectTrue(history, type, decision);
  return decision;
}

describe("random histories", () => {
  test("name every command but those of runs, effects and parked items", () => {
    expect(Object.keys(inputs).sort()).toEqual(
      [...commands.keys()].filter((type) => !/^(?:run|effect|parked)\./.test(type)).sort(),
    );
  });

  test("fold to the ledger's logged columns; what follows from rows is what a recount gives; a refusal leaves nothing", () => {
    fc.assert(
      fc.property(steps(40), (list) => {
        const stage = scene();
        const history = new History();
        list.forEach((step, n) => {
          const before = stage.ledger.writes(everything);
          const { answer, events, effects } = play(history, stage, step, n);
          const after = stage.ledger.writes(everything);
          if (!answer.ok) {
            expect([events, effects]).toEqual([[], []]);
            expect(after.size).toBe(before.size);
            for (const [name, row] of before) expect(after.get(name)).toBe(row);
          }
        });
        const rows = rowsOf(stage.ledger);
        const kept = [...rows].filter(([name]) => /^(customers|conversations|messages|notes)\//.test(name));
        expect(new Map(kept.map(([name, row]) => [name, logged(row as object)]))).toEqual(
          new Map([...history.folded].map(([name, row]) => [name, logged(row)])),
        );
        checkRecount(rows, stage.ledger);
      }),
      { numRuns: 200 },
    );
  });

  test("a conversation is where its customer wrote last and holds the channels of all its messages, through every merge", () => {
    let merged = 0;
    fc.assert(
      fc.property(steps(60), (list) => {
        const stage = scene();
        const history = new History(talkers);
        list.forEach((step, n) => void play(history, stage, step, n));
        const rows = rowsOf(stage.ledger);
        const messages = tableOf<Message>(rows, "messages");
        for (const row of tableOf<ConversationRow>(rows, "conversations")) {
          if (row.merged_into !== null) continue;
          const family = tableOf<ConversationRow>(rows, "conversations").filter(
            (each) => rootOf(rows, each.id) === row.id,
          );
          const own = messages.filter((message) => family.some(({ id }) => id === message.conversation));
          if (family.length > 1 && new Set(own.map(({ channel }) => channel)).size > 1) merged += 1;
          const held = Object.keys(addressesByChannel(row));
          expect(held).toEqual(expect.arrayContaining(own.map(({ channel }) => channel)));
          const inbound = own.filter(({ direction }) => direction === "inbound");
          const last = inbound
            .map(({ created_at }) => created_at)
            .sort()
            .at(-1);
          if (last === undefined) continue;
          expect(row.last_inbound_at).toBe(last);
          expect(inbound.filter(({ created_at }) => created_at === last).map(placeOf)).toContainEqual(placeOf(row));
        }
      }),
      { numRuns: 150 },
    );
    // some 30 conversations of several channels came of merges
    expect(merged).toBeGreaterThan(5);
  });

  test.each([
    { name: "of any commands", menu: types, most: 30 },
    { name: "of a crowd", menu: crowd, most: 60 },
  ])("$name come out the same wherever they are split into batches, down to what was read", ({ menu, most }) => {
    fc.assert(
      fc.property(steps(most), fc.infiniteStream(fc.boolean()), (list, cuts) => {
        const whole = { stage: scene(), history: new History(menu) };
        const world = memoryWorld();
        const parts = { stage: scene({ world }), history: new History(menu) };
        list.forEach((step, n) => {
          whole.stage.ledger.resetReads();
          parts.stage.ledger.resetReads();
          const one = play(whole.history, whole.stage, step, n);
          const other = play(parts.history, parts.stage, step, n);
          expect(other).toEqual(one);
          expect([...parts.stage.ledger.reads()]).toEqual([...whole.stage.ledger.reads()]);
          if (cuts.next().value !== true) return;
          world.write(parts.stage.ledger.writes(new Set(rowTables)));
          const next = scene({ world });
          next.pass(Date.parse(parts.stage.now()) - Date.parse(next.now()));
          parts.stage = next;
        });
      }),
      { numRuns: 150 },
    );
  });

  test("ask for what is not loaded rather than guess, and come out the same once it is", () => {
    fc.assert(
      fc.property(steps(25), fc.array(fc.nat(2), { minLength: 7, maxLength: 7 }), (list, gaps) => {
        const world = memoryWorld();
        const full = { history: new History(), at: scene().now() };
        const sparse = new History();
        let missed = 0;
        list.forEach((step, n) => {
          const known = scene({ world });
          known.pass(Date.parse(full.at) - Date.parse(known.now()));
          const expected = play(full.history, known, step, n);
          full.at = known.now();
          const loader = sparseWorld(world, (name) => of(gaps, name.length + name.charCodeAt(name.length - 1)) > 0);
          const stage = scene({ world: loader });
          const { type, input, actor } = sparse.command(step);
          const asked = new Set<string>();
          for (;;) {
            const mark = stage.ledger.mark();
            try {
              const decision = stage.issue(type, input, { actor, root: `root-${n}`, at: full.at });
              expect(decision).toEqual(expected);
              expectTrue(sparse, type, decision);
              break;
            } catch (error) {
              if (!(error instanceof Missing)) throw error;
              expect(error.keys.length).toBeGreaterThan(0);
              for (const name of error.keys) {
                expect(asked.has(name)).toBe(false);
                asked.add(name);
              }
              stage.ledger.rollback(mark);
              expect(stage.ledger.writes(everything).size).toBe(0);
              loader.load(error.keys);
              missed += 1;
            }
          }
          world.write(stage.ledger.writes(new Set(rowTables)));
        });
        return missed >= 0;
      }),
      { numRuns: 150 },
    );
  });

  test("are not empty: every event but none is seen, and every kind of refusal", () => {
    const seen = new Set<string>();
    const codes = new Set<string>();
    for (const list of fc.sample(steps(120), { numRuns: 500, seed: 20_261_121 })) {
      const stage = scene();
      const history = new History();
      list.forEach((step, n) => void play(history, stage, step, n));
      for (const event of history.events) seen.add(event.type);
      for (const answer of history.answers) if (!answer.ok) codes.add(answer.kind);
    }
    expect([...seen].sort()).toEqual(Object.keys(eventTypes).sort());
    expect([...codes].sort()).toEqual(["conflict", "forbidden", "invalid", "limited", "not_found"]);
  });
});

const placeOf = ({ channel, address }: Pick<Message, "channel" | "address">) => [channel, address];

/** The conversation that one stands for. */
function rootOf(rows: ReadonlyMap<string, unknown>, id: string): string {
  const into = (rows.get(key.conversation(id)) as ConversationRow).merged_into;
  return into === null ? id : rootOf(rows, into);
}

function checkRecount(rows: ReadonlyMap<string, unknown>, ledger: Ledger): void {
  const conversations = tableOf<ConversationRow>(rows, "conversations");
  for (const row of tableOf<CustomerRow>(rows, "customers")) {
    const own = conversations.filter((each) => standsFor(rows, each.customer) === row.id);
    const open = own.filter(isOpen);
    expect(row.open_conversations).toBe(open.length);
    expect(row.unreplied_conversations).toBe(open.filter((each) => each.waiting_since !== null).length);
    expect(row.state).toBe(stateOf(row));
    if (row.merged_into !== null) continue;
    expect([...((ledger.peek(key.open(row.id)) as string[] | undefined) ?? [])].sort()).toEqual(
      open.map((each) => each.id).sort(),
    );
    for (const channel of Object.values(ids.channels)) {
      const newest =
        own
          .filter((each) => Object.hasOwn(addressesByChannel(each), channel))
          .map((each) => each.id)
          .sort()
          .at(-1) ?? null;
      const known = ledger.peek(key.latest(row.id, channel)) as { readonly id: string } | null | undefined;
      expect(known?.id ?? null).toBe(newest);
    }
  }
  for (const row of conversations) {
    // who is done with waits for nobody; who was merged is closed
    if (!isOpen(row)) expect(row.waiting_since).toBeNull();
    if (row.merged_into !== null) expect(row.status).toBe("closed");
  }
  const addresses = new Map([...rows].filter(([name]) => name.startsWith("addresses/")));
  expect(addresses).toEqual(addressRows(rows));
  const loads = new Map(
    [...rows].filter(([name, row]) => name.startsWith("loads/") && (row as { open: number }).open !== 0),
  );
  expect(loads).toEqual(loadRows(rows));
}
