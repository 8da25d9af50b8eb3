import { expect, test } from "vitest";
import { actors, ids, sampleIndex, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld, sparseWorld } from "../../testing/world.ts";
import { key } from "../keys.ts";
import { Ledger, Missing } from "../ledger.ts";
import { type MergePreview, previewCustomerMerge } from "./merge-preview.ts";

const [ann, twin, erased, talk] = [301, 302, 303, 401].map(testId) as [string, string, string, string];
const rows = {
  customers: [
    customerRow({ id: ann, phone: "+14155550101", first_name: "Ann", tags: ["vip"], open_conversations: 0 }),
    customerRow({
      id: twin,
      phone: "+14155550102",
      first_name: "Annie",
      last_name: "Lee",
      properties: { plan: "pro" },
      state: "replied",
      open_conversations: 1,
    }),
    customerRow({ id: erased, erased_at: "2026-10-01T00:00:00.000Z" }),
  ],
  conversations: [
    conversationRow({
      id: talk,
      customer: twin,
      mailbox: ids.mailboxes.support,
      channel: ids.channels.sms,
      address: "+14155550102",
    }),
  ],
};
const at = "2026-11-20T17:00:01.000Z";
const sight = (ledger: Ledger) => ({ ledger, settings: sampleIndex(), actor: actors.admin, at });

test("a preview says of each field what the merge makes of it, and leaves everything as it was", () => {
  const ledger = new Ledger(memoryWorld(rows));
  const preview = previewCustomerMerge({ customer: twin, into: ann }, sight(ledger)) as MergePreview;
  expect(preview).toMatchObject({ ok: true, source: twin, target: ann, waiting_runs: 0 });
  const fields = new Map(preview.fields.map((field) => [field.field, field]));
  expect(fields.get("first_name")).toMatchObject({ source: "Annie", target: "Ann", result: "Ann" });
  expect(fields.get("last_name")).toMatchObject({ source: "Lee", target: null, result: "Lee" });
  expect(fields.get("handles")).toMatchObject({ target: [], result: ["phone:+14155550102"] });
  expect(fields.get("properties")).toMatchObject({ result: { plan: "pro" }, says: expect.stringContaining("both") });
  expect(fields.get("state")).toMatchObject({ target: "closed", result: "replied" });
  expect(fields.has("id")).toBe(false);
  expect(ledger.writes(new Set(["customers", "conversations", "addresses"])).size).toBe(0);

  const merged = scene({ world: memoryWorld(rows) });
  merged.issue("customer.merge", { customer: twin, into: ann }, { at });
  const row = merged.ledger.get<Record<string, unknown>>(key.customer(ann));
  for (const { field, result } of preview.fields) expect([field, row?.[field]]).toEqual([field, result]);
});

test("it is refused for what the merge would be", () => {
  const ledger = new Ledger(memoryWorld(rows));
  const ask = (customer: string, into: string, actor: typeof actors.admin | typeof actors.agent = actors.admin) =>
    previewCustomerMerge({ customer, into }, { ...sight(ledger), actor });
  expect(ask(ann, ann)).toMatchObject({ code: "merge_with_itself" });
  expect(ask(ann, erased)).toMatchObject({ code: "customer_erased" });
  expect(ask(testId(999), ann)).toMatchObject({ code: "customer_not_found" });
  expect(ask(twin, ann, actors.agent)).toMatchObject({ code: "not_permitted" });
});

test("it asks for what is not loaded", () => {
  const ledger = new Ledger(sparseWorld(memoryWorld(rows)));
  expect(() => previewCustomerMerge({ customer: twin, into: ann }, sight(ledger))).toThrow(Missing);
});
