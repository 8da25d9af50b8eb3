import { describe, expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { Json } from "../../model/common.ts";
import type { CustomerRow } from "../../model/customer.ts";
import { actors, ids, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../../testing/world.ts";
import type { Decision } from "../decide.ts";
import { key } from "../keys.ts";
import { blankFields } from "../blank.ts";
import { maxHandles } from "./address.ts";
import { maxClosed } from "./close.ts";

const [ann, bob, merged, erased, crowd, ghost] = [301, 302, 303, 304, 305, 399].map(testId) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const { users, teams, channels, mailboxes } = ids;
const gone = "2026-10-01T00:00:00.000Z";

const rows: readonly CustomerRow[] = [
  customerRow({
    id: ann,
    phone: "+14155550101",
    email: "ann@example.com",
    handles: ["email:ann@second.example"],
    first_name: "Ann",
    assignee: users.ben,
    teams: [teams.billing],
    tags: ["vip"],
    properties: { text: "old", free: 1 },
  }),
  customerRow({ id: bob, email: "bob@example.com", external_id: "e-bob", subscribed: false, unsubscribed_at: gone }),
  customerRow({ id: merged, phone: "+14155550109", merged_into: ann }),
  customerRow({ id: erased, erased_at: gone }),
  customerRow({ id: crowd, handles: Array.from({ length: maxHandles }, (_, n) => `external:${n}`) }),
];

const stage = (extra: Parameters<typeof memoryWorld>[0] = {}) =>
  scene({ world: memoryWorld({ customers: rows, ...extra }) });
const told = (decision: Decision) =>
  decision.events.map((event) => [event.type, ...event.changes.map(({ before, after }) => [before, after])]);
const at = "2026-11-20T17:00:01.000Z";

interface Case {
  readonly name: string;
  readonly type: string;
  readonly input: Record<string, Json>;
  /** part of the result, or the code of the refusal and its path */
  readonly answer: Record<string, Json> | readonly [code: string, path?: string];
  readonly events?: readonly (readonly unknown[])[];
}

const long = "x".repeat(33_000);
const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`p${n}`, n]));

const cases: readonly Case[] = [
  {
    name: "takes where somebody lives and works",
    type: "customer.upsert",
    input: { customer: ann, city: "Bonn", region: "NRW", country: " de ", company: "Acme" },
    answer: { changed: true },
    events: [
      [
        "customer.updated",
        [
          { city: null, region: null, country: null, company: null },
          { city: "Bonn", region: "NRW", country: "DE", company: "Acme" },
        ],
      ],
    ],
  },
  {
    name: "takes a country away",
    type: "customer.upsert",
    input: { customer: ann, country: null },
    answer: { changed: false },
  },
  {
    name: "no country",
    type: "customer.upsert",
    input: { customer: ann, country: "Atlantis" },
    answer: ["country_unknown", "/country"],
  },

  // addresses
  {
    name: "becomes the first of its kind",
    type: "customer.add_address",
    input: { customer: bob, kind: "phone", address: "(415) 555-0177" },
    answer: { customer: bob, changed: true },
    events: [["customer.address_added", [{ phone: null }, { phone: "+14155550177" }]]],
  },
  {
    name: "stands beside the first",
    type: "customer.add_address",
    input: { customer: bob, kind: "email", address: "Bob@Work.example" },
    answer: { changed: true },
    events: [["customer.address_added", [{ handles: [] }, { handles: ["email:bob@work.example"] }]]],
  },
  {
    name: "of a kind without a field of its own",
    type: "customer.add_address",
    input: { customer: bob, kind: "messenger", address: "messenger:77" },
    answer: { changed: true },
    events: [["customer.address_added", [{ handles: [] }, { handles: ["messenger:77"] }]]],
  },
  {
    name: "of one that was merged is the survivor's",
    type: "customer.add_address",
    input: { customer: merged, kind: "external", address: "e-ann" },
    answer: { customer: ann, changed: true },
    events: [["customer.address_added", [{ external_id: null }, { external_id: "e-ann" }]]],
  },
  {
    name: "held already",
    type: "customer.add_address",
    input: { customer: ann, kind: "email", address: "ANN@second.example" },
    answer: { changed: false },
    events: [],
  },
  {
    name: "another's",
    type: "customer.add_address",
    input: { customer: bob, kind: "email", address: "ann@second.example" },
    answer: ["address_taken", "/address"],
  },
  {
    name: "one too many",
    type: "customer.add_address",
    input: { customer: crowd, kind: "chat", address: "visitor" },
    answer: ["too_many_addresses", "/address"],
  },
  {
    name: "takes the place that none had",
    type: "customer.make_address_primary",
    input: { customer: crowd, kind: "external", address: "1" },
    answer: { changed: true },
  },
  {
    name: "not possible",
    type: "customer.add_address",
    input: { customer: bob, kind: "phone", address: "12" },
    answer: ["phone_not_possible", "/address"],
  },
  {
    name: "empty",
    type: "customer.add_address",
    input: { customer: bob, kind: "external", address: "  " },
    answer: ["address_empty", "/address"],
  },
  {
    name: "nobody's",
    type: "customer.add_address",
    input: { customer: ghost, kind: "phone", address: "+14155550177" },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "of one beside the first",
    type: "customer.remove_address",
    input: { customer: ann, kind: "email", address: "ann@second.example" },
    answer: { customer: ann, changed: true },
    events: [["customer.address_removed", [{ handles: ["email:ann@second.example"] }, { handles: [] }]]],
  },
  {
    name: "lets the next of its kind be the first",
    type: "customer.remove_address",
    input: { customer: ann, kind: "email", address: "ann@example.com" },
    answer: { changed: true },
    events: [
      [
        "customer.address_removed",
        [
          { email: "ann@example.com", handles: ["email:ann@second.example"] },
          { email: "ann@second.example", handles: [] },
        ],
      ],
    ],
  },
  {
    name: "of the only one",
    type: "customer.remove_address",
    input: { customer: ann, kind: "phone", address: "415 555 0101" },
    answer: { changed: true },
    events: [["customer.address_removed", [{ phone: "+14155550101" }, { phone: null }]]],
  },
  {
    name: "of one that is not there",
    type: "customer.remove_address",
    input: { customer: ann, kind: "short_code", address: "12345" },
    answer: { changed: false },
    events: [],
  },
  {
    name: "changes places",
    type: "customer.make_address_primary",
    input: { customer: ann, kind: "email", address: "ann@second.example" },
    answer: { changed: true },
    events: [
      [
        "customer.address_made_primary",
        [
          { email: "ann@example.com", handles: ["email:ann@second.example"] },
          { email: "ann@second.example", handles: ["email:ann@example.com"] },
        ],
      ],
    ],
  },
  {
    name: "is primary",
    type: "customer.make_address_primary",
    input: { customer: ann, kind: "email", address: "ann@example.com" },
    answer: { changed: false },
    events: [],
  },
  {
    name: "not held",
    type: "customer.make_address_primary",
    input: { customer: ann, kind: "phone", address: "+14155550177" },
    answer: ["address_not_found", "/address"],
  },
  // upsert: finding
  { name: "no identifier", type: "customer.upsert", input: { first_name: "X" }, answer: ["customer_unidentified"] },
  {
    name: "null identifies nobody",
    type: "customer.upsert",
    input: { email: null },
    answer: ["customer_unidentified"],
  },
  {
    name: "makes one by phone in its normal form",
    type: "customer.upsert",
    input: {
      phone: "(415) 555-0177",
      first_name: "Cy",
      subscribed: false,
      assignee: "ben@acme.test",
      properties: { text: "t", none: null },
    },
    answer: { created: true, changed: true },
    events: [
      [
        "customer.created",
        [
          null,
          {
            phone: "+14155550177",
            first_name: "Cy",
            subscribed: false,
            unsubscribed_at: at,
            assignee: users.ben,
            properties: { text: "t" },
          },
        ],
      ],
    ],
  },
  {
    name: "makes a subscribed one unless told",
    type: "customer.upsert",
    input: { external_id: "new", subscribed: true },
    answer: { created: true },
    events: [["customer.created", [null, { external_id: "new" }]]],
  },
  {
    name: "finds by phone, changes nothing",
    type: "customer.upsert",
    input: { phone: "+14155550101" },
    answer: { customer: ann, created: false, changed: false },
    events: [],
  },
  {
    name: "finds by e-mail, changes given fields only",
    type: "customer.upsert",
    input: { email: "bob@example.com", first_name: "Bob", zip_code: null },
    answer: { customer: bob, created: false, changed: true },
    events: [["customer.updated", [{ first_name: null }, { first_name: "Bob" }]]],
  },
  {
    name: "finds by external id",
    type: "customer.upsert",
    input: { external_id: "e-bob" },
    answer: { customer: bob, changed: false },
    events: [],
  },
  {
    name: "finds by a second address and leaves the first",
    type: "customer.upsert",
    input: { email: "ann@second.example" },
    answer: { customer: ann, changed: false },
    events: [],
  },
  {
    name: "finds through a merged one by id",
    type: "customer.upsert",
    input: { customer: merged, last_name: "Lee" },
    answer: { customer: ann },
    events: [["customer.updated", [{ last_name: null }, { last_name: "Lee" }]]],
  },
  {
    name: "unknown id",
    type: "customer.upsert",
    input: { customer: ghost },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "erased",
    type: "customer.upsert",
    input: { customer: erased, first_name: "X" },
    answer: ["customer_erased", "/customer"],
  },
  {
    name: "no such phone",
    type: "customer.upsert",
    input: { phone: "nobody" },
    answer: ["phone_not_possible", "/phone"],
  },
  { name: "no such e-mail", type: "customer.upsert", input: { email: "nobody" }, answer: ["email_invalid", "/email"] },
  {
    name: "blank external id",
    type: "customer.upsert",
    input: { external_id: " " },
    answer: ["external_id_empty", "/external_id"],
  },
  {
    name: "unknown assignee",
    type: "customer.upsert",
    input: { customer: ann, assignee: "x" },
    answer: ["user_not_found", "/assignee"],
  },
  // upsert: identifiers
  {
    name: "phone stays",
    type: "customer.upsert",
    input: { customer: ann, phone: "+14155550199" },
    answer: ["phone_fixed", "/phone"],
  },
  {
    name: "a first phone is set",
    type: "customer.upsert",
    input: { email: "bob@example.com", phone: "+14155550199" },
    answer: { customer: bob },
    events: [["customer.updated", [{ phone: null }, { phone: "+14155550199" }]]],
  },
  {
    name: "phone of another",
    type: "customer.upsert",
    input: { customer: bob, phone: "+14155550101" },
    answer: ["phone_taken", "/phone"],
  },
  {
    name: "e-mail of another",
    type: "customer.upsert",
    input: { phone: "+14155550101", email: "bob@example.com" },
    answer: ["email_taken", "/email"],
  },
  {
    name: "external id of another",
    type: "customer.upsert",
    input: { customer: ann, external_id: "e-bob" },
    answer: ["external_id_taken", "/external_id"],
  },
  {
    name: "e-mail changes and is taken away",
    type: "customer.upsert",
    input: { customer: ann, email: null, external_id: "e-ann" },
    answer: { changed: true },
    events: [
      [
        "customer.updated",
        [
          { email: "ann@example.com", external_id: null },
          { email: null, external_id: "e-ann" },
        ],
      ],
    ],
  },
  // upsert: parts
  {
    name: "tells of each part by its own event",
    type: "customer.upsert",
    input: { customer: ann, subscribed: false, assignee: null, properties: { text: "new", free: null, number: 2 } },
    answer: { changed: true },
    events: [
      ["customer.property_set", [{ properties: { text: "old" } }, { properties: { text: "new", number: 2 } }]],
      ["customer.property_deleted", [{ properties: { free: 1 } }, { properties: {} }]],
      [
        "customer.unsubscribed",
        [
          { subscribed: true, unsubscribed_at: null },
          { subscribed: false, unsubscribed_at: at },
        ],
      ],
      ["customer.unassigned", [{ assignee: users.ben }, { assignee: null }]],
    ],
  },
  {
    name: "subscribes and assigns",
    type: "customer.upsert",
    input: { customer: bob, subscribed: true, assignee: "cleo@acme.test" },
    answer: { changed: true },
    events: [
      [
        "customer.subscribed",
        [
          { subscribed: false, subscribed_at: null, unsubscribed_at: gone },
          { subscribed: true, subscribed_at: at, unsubscribed_at: null },
        ],
      ],
      ["customer.assigned", [{ assignee: null }, { assignee: users.cleo }]],
    ],
  },
  {
    name: "a property of a wrong type",
    type: "customer.upsert",
    input: { customer: ann, properties: { number: "1" } },
    answer: ["property_type", "/properties/number"],
  },
  {
    name: "a property's name in a path",
    type: "customer.upsert",
    input: { customer: ann, properties: { "a/b~": long } },
    answer: ["property_too_large", "/properties/a~1b~0"],
  },
  {
    name: "a property's bad name",
    type: "customer.upsert",
    input: { customer: ann, properties: { "": 1 } },
    answer: ["property_name", "/properties/"],
  },
  // properties
  {
    name: "sets a property",
    type: "customer.set_property",
    input: { customer: ann, name: "text", value: "new" },
    answer: { customer: ann, changed: true, before: "old" },
    events: [["customer.property_set", [{ properties: { text: "old" } }, { properties: { text: "new" } }]]],
  },
  {
    name: "the same value",
    type: "customer.set_property",
    input: { customer: ann, name: "text", value: "old" },
    answer: { changed: false, before: "old" },
    events: [],
  },
  {
    name: "a word of every object",
    type: "customer.set_property",
    input: { customer: ann, name: "constructor", value: 1 },
    answer: { changed: true, before: null },
  },
  {
    name: "null takes away",
    type: "customer.set_property",
    input: { customer: ann, name: "free", value: null },
    answer: { changed: true, before: 1 },
    events: [["customer.property_deleted", [{ properties: { free: 1 } }, { properties: {} }]]],
  },
  {
    name: "a wrong type",
    type: "customer.set_property",
    input: { customer: ann, name: "choice", value: "gold" },
    answer: ["property_type", "/value"],
  },
  {
    name: "a control character",
    type: "customer.set_property",
    input: { customer: ann, name: "a\nb", value: 1 },
    answer: ["property_name", "/value"],
  },
  {
    name: "of nobody",
    type: "customer.set_property",
    input: { customer: ghost, name: "a", value: 1 },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "deletes a property and hands it back",
    type: "customer.delete_property",
    input: { customer: ann, name: "text" },
    answer: { customer: ann, changed: true, name: "text", value: "old" },
    events: [["customer.property_deleted", [{ properties: { text: "old" } }, { properties: {} }]]],
  },
  {
    name: "nothing to delete",
    type: "customer.delete_property",
    input: { customer: ann, name: "toString" },
    answer: { changed: false, value: null },
    events: [],
  },
  // subscription
  {
    name: "subscribes",
    type: "customer.subscribe",
    input: { customer: bob },
    answer: { customer: bob, changed: true },
    events: [
      [
        "customer.subscribed",
        [
          { subscribed: false, subscribed_at: null, unsubscribed_at: gone },
          { subscribed: true, subscribed_at: at, unsubscribed_at: null },
        ],
      ],
    ],
  },
  {
    name: "is subscribed",
    type: "customer.subscribe",
    input: { customer: ann },
    answer: { changed: false },
    events: [],
  },
  {
    name: "unsubscribes",
    type: "customer.unsubscribe",
    input: { customer: ann },
    answer: { changed: true },
    events: [
      [
        "customer.unsubscribed",
        [
          { subscribed: true, unsubscribed_at: null },
          { subscribed: false, unsubscribed_at: at },
        ],
      ],
    ],
  },
  {
    name: "is unsubscribed",
    type: "customer.unsubscribe",
    input: { customer: bob },
    answer: { changed: false },
    events: [],
  },
  {
    name: "an erased one stays as it is",
    type: "customer.unsubscribe",
    input: { customer: erased },
    answer: ["customer_erased", "/customer"],
  },
  // assignee
  {
    name: "assigns by e-mail",
    type: "customer.assign",
    input: { customer: merged, user: "Cleo@acme.test" },
    answer: { customer: ann, changed: true },
    events: [["customer.assigned", [{ assignee: users.ben }, { assignee: users.cleo }]]],
  },
  {
    name: "is assigned",
    type: "customer.assign",
    input: { customer: ann, user: users.ben },
    answer: { changed: false },
    events: [],
  },
  {
    name: "to nobody known",
    type: "customer.assign",
    input: { customer: ann, user: "x" },
    answer: ["user_not_found", "/user"],
  },
  {
    name: "to an archived user",
    type: "customer.assign",
    input: { customer: ann, user: users.dan },
    answer: ["user_archived", "/user"],
  },
  {
    name: "unassigns",
    type: "customer.unassign",
    input: { customer: ann },
    answer: { changed: true },
    events: [["customer.unassigned", [{ assignee: users.ben }, { assignee: null }]]],
  },
  {
    name: "is not assigned",
    type: "customer.unassign",
    input: { customer: bob },
    answer: { changed: false },
    events: [],
  },
  // teams
  {
    name: "joins a team",
    type: "customer.add_to_team",
    input: { customer: ann, team: "support" },
    answer: { changed: true },
    events: [["customer.added_to_team", [{ teams: [teams.billing] }, { teams: [teams.billing, teams.support] }]]],
  },
  {
    name: "is in the team",
    type: "customer.add_to_team",
    input: { customer: ann, team: teams.billing },
    answer: { changed: false },
    events: [],
  },
  {
    name: "no such team",
    type: "customer.add_to_team",
    input: { customer: ann, team: "x" },
    answer: ["team_not_found", "/team"],
  },
  {
    name: "an archived team",
    type: "customer.add_to_team",
    input: { customer: ann, team: teams.former },
    answer: ["team_archived", "/team"],
  },
  {
    name: "leaves a team",
    type: "customer.remove_from_team",
    input: { customer: ann, team: "billing" },
    answer: { changed: true },
    events: [["customer.removed_from_team", [{ teams: [teams.billing] }, { teams: [] }]]],
  },
  {
    name: "is not in the archived team",
    type: "customer.remove_from_team",
    input: { customer: ann, team: teams.former },
    answer: { changed: false },
    events: [],
  },
  {
    name: "leaves no such team",
    type: "customer.remove_from_team",
    input: { customer: ann, team: "x" },
    answer: ["team_not_found", "/team"],
  },
  // tags
  {
    name: "tags",
    type: "customer.add_tags",
    input: { customer: ann, tags: [" late ", "VIP", "Late"] },
    answer: { changed: true },
    events: [["customer.tags_added", [{ tags: ["vip"] }, { tags: ["vip", "late"] }]]],
  },
  {
    name: "has the tag",
    type: "customer.add_tags",
    input: { customer: ann, tags: ["Vip"] },
    answer: { changed: false },
    events: [],
  },
  {
    name: "a blank tag",
    type: "customer.add_tags",
    input: { customer: ann, tags: ["a", " "] },
    answer: ["tag_invalid", "/tags/1"],
  },
  {
    name: "a long tag",
    type: "customer.remove_tags",
    input: { customer: ann, tags: ["x".repeat(101)] },
    answer: ["tag_invalid", "/tags/0"],
  },
  {
    name: "too many tags",
    type: "customer.add_tags",
    input: { customer: ann, tags: Array.from({ length: 100 }, (_, n) => `t${n}`) },
    answer: ["too_many_tags", "/tags"],
  },
  {
    name: "untags",
    type: "customer.remove_tags",
    input: { customer: ann, tags: ["VIP", "other"] },
    answer: { changed: true },
    events: [["customer.tags_removed", [{ tags: ["vip"] }, { tags: [] }]]],
  },
  {
    name: "has no such tag",
    type: "customer.remove_tags",
    input: { customer: ann, tags: ["late"] },
    answer: { changed: false },
    events: [],
  },
  // close
  {
    name: "closes nobody",
    type: "customer.close",
    input: { customer: ghost },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "has nothing to close",
    type: "customer.close",
    input: { customer: bob },
    answer: { customer: bob, changed: false, conversations: 0 },
    events: [],
  },
  {
    name: "clears assignee and teams",
    type: "customer.close",
    input: { customer: merged },
    answer: { customer: ann, changed: true, conversations: 0 },
    events: [
      [
        "customer.closed",
        [
          { assignee: users.ben, teams: [teams.billing] },
          { assignee: null, teams: [] },
        ],
      ],
    ],
  },
  // merge
  {
    name: "merges nobody",
    type: "customer.merge",
    input: { customer: ghost, into: ann },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "merges into nobody",
    type: "customer.merge",
    input: { customer: bob, into: ghost },
    answer: ["customer_not_found", "/into"],
  },
  {
    name: "merges into itself",
    type: "customer.merge",
    input: { customer: ann, into: merged },
    answer: ["merge_with_itself", "/into"],
  },
  {
    name: "merges what is merged",
    type: "customer.merge",
    input: { customer: merged, into: bob },
    answer: ["customer_merged", "/customer"],
  },
  {
    name: "merges the erased",
    type: "customer.merge",
    input: { customer: erased, into: bob },
    answer: ["customer_erased", "/customer"],
  },
  {
    name: "merges into the erased",
    type: "customer.merge",
    input: { customer: bob, into: erased },
    answer: ["customer_erased", "/into"],
  },
  // erase
  {
    name: "erases nobody",
    type: "customer.erase",
    input: { customer: ghost },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "erased once",
    type: "customer.erase",
    input: { customer: erased },
    answer: { customer: erased, changed: false, erased: [], erase_pending: true },
    events: [],
  },
  // checks before deciding
  { name: "an unknown field", type: "customer.close", input: { customer: ann, x: 1 }, answer: ["invalid_input", "/x"] },
  { name: "no id", type: "customer.close", input: { customer: "ann" }, answer: ["invalid_input", "/customer"] },
];

describe("customer commands", () => {
  test.each(cases)("$type: $name", ({ type, input, answer, events }) => {
    const decision = stage().issue(type, input);
    if (Array.isArray(answer)) {
      const [code, path] = answer as readonly [string, string?];
      expect(decision).toMatchObject({ answer: { ok: false, code }, events: [], effects: [] });
      expect((decision.answer as { readonly path?: string }).path).toBe(path);
      return;
    }
    expect(decision.answer).toMatchObject({ ok: true, result: answer });
    if (events !== undefined) expect(told(decision)).toEqual(events);
    for (const event of decision.events)
      expect(event.refs.customer).toBe((decision.answer as Accepted).result["customer"]);
  });

  test("properties are told by name, never by value", () => {
    const { events } = stage().issue("customer.upsert", { customer: ann, properties: { text: "new", free: null } });
    expect(events.map((event) => event.data)).toEqual([{ names: ["text"] }, { names: ["free"] }]);
  });

  test("a customer has 200 properties at most", () => {
    const full = customerRow({
      id: ann,
      properties: { ...many, ...Object.fromEntries(Object.keys(many).map((name) => [`${name}b`, 1])) },
    });
    const crowded = scene({ world: memoryWorld({ customers: [full] }) });
    expect(crowded.issue("customer.set_property", { customer: ann, name: "one", value: 1 }).answer).toMatchObject({
      code: "too_many_properties",
      path: "/name",
    });
    expect(crowded.issue("customer.upsert", { customer: ann, properties: { one: 1 } }).answer).toMatchObject({
      code: "too_many_properties",
      path: "/properties",
    });
    expect(crowded.issue("customer.set_property", { customer: ann, name: "p1", value: 2 }).answer.ok).toBe(true);
  });

  test("a prototype cannot be set", () => {
    const input = { customer: ann, properties: JSON.parse('{"__proto__": {"a": 1}}') as Record<string, Json> };
    expect(stage().issue("customer.upsert", input).answer).toMatchObject({ code: "property_name" });
  });
});

const talk = (n: number, customer: string, patch = {}) =>
  conversationRow({
    id: testId(500 + n),
    customer,
    mailbox: mailboxes.support,
    channel: channels.sms,
    address: "+14155550101",
    ...patch,
  });

describe("customer.close", () => {
  const customers = [
    customerRow({ ...(rows[0] as CustomerRow), open_conversations: 2, unreplied_conversations: 1, state: "unreplied" }),
    ...rows.slice(1),
  ];
  const conversations = [
    talk(2, ann, { waiting_since: gone, assignee: users.ben }),
    talk(1, merged, { status: "snoozed", snoozed_until: "2027-01-01T00:00:00.000Z" }),
    talk(3, ann, { status: "closed", closed_at: gone }),
  ];

  test("closes each open conversation, those of merged customers too, then clears the customer", () => {
    const set = stage({ customers, conversations });
    const { answer, events } = set.issue("customer.close", { customer: ann });
    expect(answer).toEqual({ ok: true, result: { customer: ann, changed: true, conversations: 2 } });
    expect(events.map((event) => [event.type, event.refs])).toEqual([
      ["conversation.closed", { customer: ann, conversation: testId(501) }],
      ["conversation.closed", { customer: ann, conversation: testId(502) }],
      ["customer.closed", { customer: ann }],
      ["customer.state_changed", { customer: ann }],
    ]);
    expect(events[2]?.data).toEqual({ conversations: 2 });
    expect(set.ledger.get(key.customer(ann))).toMatchObject({
      state: "closed",
      open_conversations: 0,
      unreplied_conversations: 0,
      assignee: null,
      teams: [],
    });
    expect(set.ledger.get(key.load(users.ben))).toEqual({ user_id: users.ben, open: 0 });
  });

  test("refuses to close more than its cap", () => {
    const crowd = customerRow({ id: ann, open_conversations: maxClosed + 1 });
    const { answer } = stage({ customers: [crowd] }).issue("customer.close", { customer: ann });
    expect(answer).toMatchObject({ kind: "limited", code: "too_many_open_conversations" });
  });

  test("tells of it when only conversations were closed", () => {
    const plain = customerRow({ id: bob, open_conversations: 1, state: "replied" });
    const { events } = stage({ customers: [plain], conversations: [talk(1, bob)] }).issue("customer.close", {
      customer: bob,
    });
    expect(events.map((event) => [event.type, event.changes.length])).toEqual([
      ["conversation.closed", 2],
      ["customer.closed", 0],
      ["customer.state_changed", 1],
    ]);
  });
});

describe("a customer's time zone and locale", () => {
  const upsert = (input: Record<string, Json>) =>
    stage().issue("customer.upsert", { external_id: "new", ...input }).answer;

  test.each<{ input: Record<string, Json>; code: string; path: string }>([
    { input: { timezone: "Mars/Olympus" }, code: "timezone_unknown", path: "/timezone" },
    { input: { timezone: "" }, code: "timezone_unknown", path: "/timezone" },
    { input: { timezone: "2026-11-20T17:00[UTC]" }, code: "timezone_unknown", path: "/timezone" },
    { input: { locale: "the usual" }, code: "locale_invalid", path: "/locale" },
    { input: { locale: "" }, code: "locale_invalid", path: "/locale" },
  ])("are refused where there are none such: $input", ({ input, code, path }) => {
    expect(upsert(input)).toMatchObject({ ok: false, kind: "invalid", code, path });
  });

  test("are kept in their usual spelling, and taken away by null", () => {
    const set = stage();
    const given = { external_id: "new", timezone: "America/New_York", locale: "pt_br" };
    const { customer } = (set.issue("customer.upsert", given).answer as Accepted).result as { customer: string };
    expect(set.ledger.get(key.customer(customer))).toMatchObject({ timezone: "America/New_York", locale: "pt-BR" });
    expect(set.issue("customer.upsert", { external_id: "new", timezone: null, locale: null }).answer.ok).toBe(true);
    expect(set.ledger.get(key.customer(customer))).toMatchObject({ timezone: null, locale: null });
  });
});

describe("customer.merge", () => {
  test("takes over what the target lacks, moves no row, and is found under both's addresses", () => {
    const source = customerRow({
      id: bob,
      phone: "+14155550102",
      email: "bob@example.com",
      external_id: "e-bob",
      handles: ["chat:visitor"],
      first_name: "Bob",
      last_name: "Ray",
      subscribed: false,
      unsubscribed_at: gone,
      teams: [teams.billing, teams.support],
      tags: ["VIP", "late"],
      properties: { text: "bob's", number: 5 },
      open_conversations: 1,
      unreplied_conversations: 1,
      state: "unreplied",
    });
    const set = stage({
      customers: [rows[0] as CustomerRow, source],
      conversations: [talk(1, bob, { waiting_since: gone })],
    });
    const { answer, events } = set.issue("customer.merge", { customer: bob, into: ann });
    expect(answer).toEqual({ ok: true, result: { customer: ann, merged: bob } });
    expect(events.map((event) => [event.type, event.refs])).toEqual([
      ["customer.merged", { customer: ann }],
      ["customer.state_changed", { customer: ann }],
    ]);
    expect(events[0]?.data).toEqual({ source: bob, target: ann });
    expect(events[0]?.changes).toEqual([
      {
        table: "customers",
        id: bob,
        before: { open_conversations: 1, unreplied_conversations: 1, state: "unreplied", merged_into: null },
        after: { open_conversations: 0, unreplied_conversations: 0, state: "closed", merged_into: ann },
      },
      {
        table: "customers",
        id: ann,
        before: {
          external_id: null,
          handles: ["email:ann@second.example"],
          last_name: null,
          subscribed: true,
          unsubscribed_at: null,
          teams: [teams.billing],
          tags: ["vip"],
          properties: {},
          open_conversations: 0,
          unreplied_conversations: 0,
        },
        after: {
          external_id: "e-bob",
          handles: ["email:ann@second.example", "chat:visitor", "phone:+14155550102", "email:bob@example.com"],
          last_name: "Ray",
          subscribed: false,
          unsubscribed_at: gone,
          teams: [teams.billing, teams.support],
          tags: ["vip", "late"],
          properties: { number: 5 },
          open_conversations: 1,
          unreplied_conversations: 1,
        },
      },
    ]);
    for (const address of [
      "phone:+14155550102",
      "email:bob@example.com",
      "external:e-bob",
      "chat:visitor",
      "phone:+14155550101",
    ]) {
      expect(set.ledger.get(`addresses/${address}`)).toEqual({ customer: ann });
    }
    // the customer writes under the old number: the talk goes on where it was, as the target's
    const next = set.issue("message.receive", { channel: "sms", from: "+14155550102", text: "me again" });
    expect(next.answer).toMatchObject({ result: { customer: ann, conversation: testId(501) } });
    expect(set.ledger.get(key.conversation(testId(501)))).toMatchObject({ customer: bob, address: "+14155550102" });
    // whoever asked for no messages under one name gets none under both
    const robot = set.issue("message.send", { conversation: testId(501), text: "hi" }, { actor: actors.workflow });
    expect(robot.answer).toMatchObject({ code: "customer_unsubscribed" });
    expect(set.issue("customer.merge", { customer: bob, into: ann }).answer).toMatchObject({ code: "customer_merged" });
  });
});

describe("customer.erase", () => {
  test("blanks every personal field, frees the addresses, and logs no value", () => {
    const set = stage();
    const { answer, events } = set.issue("customer.erase", { customer: ann });
    expect(answer).toEqual({ ok: true, result: { customer: ann, changed: true, erased: [ann], erase_pending: true } });
    const now = set.now();
    expect(set.ledger.get(key.customer(ann))).toMatchObject({
      ...blankFields.customers,
      erased_at: now,
      assignee: users.ben,
    });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: "customer.erased",
      data: { customers: [ann] },
      changes: [
        {
          before: {
            phone: null,
            email: null,
            handles: [],
            first_name: null,
            tags: [],
            properties: null,
            erased_at: null,
          },
          after: {
            phone: null,
            email: null,
            handles: [],
            first_name: null,
            tags: [],
            properties: null,
            erased_at: now,
          },
        },
      ],
    });
    expect(JSON.stringify(events)).not.toMatch(/4155550101|example|Ann|vip|old/);
    expect(set.ledger.get(key.address("phone", "+14155550101"))).toBeNull();
    expect(set.issue("customer.erase", { customer: ann }).events).toEqual([]);
    expect(set.issue("message.receive", { channel: "sms", from: "+14155550101", text: "hi" }).events[0]?.type).toBe(
      "customer.created",
    );
  });

  test("erases a merged row together with those it stands for", () => {
    const { answer, events } = stage().issue("customer.erase", { customer: merged });
    expect(answer).toMatchObject({ result: { customer: ann, erased: [merged, ann] } });
    expect(events.map((event) => [event.refs.customer, event.changes.map((change) => change.id)])).toEqual([
      [ann, [merged, ann]],
    ]);
  });

  test("needs a right that agents lack", () => {
    expect(stage().issue("customer.erase", { customer: ann }, { actor: actors.agent }).answer).toMatchObject({
      kind: "forbidden",
    });
  });
});
