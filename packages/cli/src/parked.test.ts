import { afterAll, beforeAll, expect, test } from "vitest";
import { listParked, settleParked } from "./parked.ts";
import { contextOf, type Installation, startInstallation } from "./testing/installation.ts";

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
}, 60_000);
afterAll(() => installation.close());

test("what waits for a person is listed, done after all, and marked as seen to", async () => {
  const context = contextOf(installation.env);
  expect(await listParked(context)).toEqual({ json: { items: [] }, text: "Nothing waits for a person." });

  const ids = ["01936f2a-0000-7000-8000-000000000001", "01936f2a-0000-7000-8000-000000000002"];
  for (const id of ids) {
    await installation.server.database.pool.query(
      `insert into parked (lane, organization, id, item, error, at)
select lane, id, $1::uuid, $2, '{"message":"a bug\\n  at somewhere"}', now() from directory_organizations`,
      [
        id,
        JSON.stringify({
          kind: "command",
          id,
          key: null,
          command: {
            type: "message.receive",
            actor: { kind: "system", id: null },
            input: { channel: "api", from: "visitor", text: "hi" },
          },
        }),
      ],
    );
  }
  const { text } = await listParked(context);
  expect(text.split("\n")).toHaveLength(2);
  expect(text).toContain(ids[0]);
  expect(text).toContain("message.receive  a bug");

  expect(await settleParked(context, "retry", [ids[0] as string])).toMatchObject({
    json: { results: [{ parked: ids[0], message: expect.any(String) }] },
  });
  await expect(settleParked(context, "retry", [ids[0] as string])).rejects.toMatchObject({ code: "parked_resolved" });
  expect(await settleParked(context, "resolve", [ids[1] as string])).toMatchObject({
    json: { results: [{ parked: ids[1], changed: true }] },
  });
  expect((await listParked(context)).json).toEqual({ items: [] });
});
