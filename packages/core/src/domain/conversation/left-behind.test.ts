import { describe, expect, test } from "vitest";
import { actors, ids, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../../testing/world.ts";
import { key } from "../keys.ts";
import { needsOf } from "../registry.ts";

const { users, mailboxes, channels } = ids;
const [ann, held, closed, free] = [301, 401, 402, 403].map(testId) as [string, string, string, string];
const talk = (id: string, patch: object) =>
  conversationRow({ id, customer: ann, mailbox: mailboxes.support, channel: channels.sms, address: "+1", ...patch });

function stage(status: string | null) {
  const more = status === null ? {} : { [key.presence(users.ben)]: { user_id: users.ben, status } };
  const conversations = [
    talk(held, { assignee: users.ben }),
    talk(closed, { assignee: users.ben, status: "closed" }),
    talk(free, {}),
  ];
  const set = scene({ world: memoryWorld({ customers: [customerRow({ id: ann })], conversations, more }) });
  return (conversation: string, user: string = users.ben) =>
    set.issue("conversation.leave_behind", { conversation, user }, { actor: actors.system });
}

describe("a conversation that is left behind", () => {
  test.each(["offline", null])("is told of, and stays as it is (%s)", (status) => {
    const { answer, events } = stage(status)(held, "ben@acme.test");
    expect(answer).toEqual({ ok: true, result: { conversation: held, changed: false } });
    expect(events).toMatchObject([
      {
        type: "conversation.left_behind",
        refs: { customer: ann, conversation: held, user: users.ben },
        changes: [],
        data: {},
      },
    ]);
  });

  test.each([
    { name: "the user is back", status: "online", conversation: held, code: "user_not_offline" },
    { name: "it is closed", status: "offline", conversation: closed, code: "not_held" },
    { name: "nobody holds it", status: "offline", conversation: free, code: "not_held" },
    { name: "there is none", status: "offline", conversation: testId(9), code: "conversation_not_found" },
    { name: "the user is archived", status: "offline", conversation: held, user: users.dan, code: "user_archived" },
  ])("is not where $name", ({ status, conversation, user, code }) => {
    expect(stage(status)(conversation, user)).toMatchObject({ answer: { ok: false, code }, events: [] });
  });

  test("is read with who holds it, in one go", () => {
    const settings = scene().settings;
    const input = { conversation: held, user: users.ben };
    expect(needsOf({ type: "conversation.leave_behind", actor: actors.system, input }, settings)).toEqual([
      key.conversation(held),
      key.presence(users.ben),
    ]);
  });
});
