import { expect, test } from "vitest";
import { idOf } from "../testing/documents.ts";
import { everywhere, isEverywhere, nowhere, type Reach, reaches } from "./reach.ts";

const [sales, support, ann, bob, tier1, tier2] = [1, 2, 3, 4, 5, 6].map(idOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const nobodys = { mailbox: sales, team: null, assignee: null };
const anns: Reach = { mailboxes: [sales], of: "all", user: ann, teams: [tier1] };

test.each<[string, Reach, Partial<typeof anns | { team: string; assignee: string; mailbox: string }>, boolean]>([
  ["everything is reached from everywhere", everywhere, {}, true],
  ["nothing is from nowhere", nowhere, {}, false],
  ["all of one's mailbox", anns, {}, true],
  ["nothing of another's", anns, { mailbox: support }, false],
  ["not even what is one's own there", anns, { mailbox: support, assignee: ann }, false],
  ["what nobody has is no team's", { ...anns, of: "teams" }, {}, false],
  ["what one's team has", { ...anns, of: "teams" }, { team: tier1 }, true],
  ["not what another team has", { ...anns, of: "teams" }, { team: tier2 }, false],
  ["one's own, whichever team has it", { ...anns, of: "teams" }, { team: tier2, assignee: ann }, true],
  ["one's own alone", { ...anns, of: "own" }, { team: tier1, assignee: bob }, false],
  ["one's own", { ...anns, of: "own" }, { assignee: ann }, true],
  ["nobody has no own", { ...anns, of: "own", user: null }, {}, false],
  ["all mailboxes", { ...anns, of: "own", mailboxes: null }, { mailbox: support, assignee: ann }, true],
])("%s", (_, reach, row, expected) => {
  expect(reaches(reach, { ...nobodys, ...row })).toBe(expected);
});

test("everywhere is where nothing is kept back", () => {
  expect(
    [everywhere, nowhere, anns, { ...anns, mailboxes: null }, { ...everywhere, of: "teams" } as Reach].map(
      isEverywhere,
    ),
  ).toEqual([true, false, false, true, false]);
});
