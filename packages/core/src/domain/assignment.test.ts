import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testId } from "../testing/settings.ts";
import { type Candidate, choose, ways } from "./assignment.ts";

const [a, b, c] = [1, 2, 3].map(testId) as [string, string, string];
const candidate = (user: string, patch: Partial<Candidate> = {}): Candidate => ({
  user,
  available: true,
  open: 0,
  capacity: null,
  ...patch,
});

const anyone = fc.record({
  available: fc.boolean(),
  open: fc.nat(4),
  capacity: fc.option(fc.nat(4)),
});
const staff = fc
  .uniqueArray(fc.nat(7), { maxLength: 6 })
  .chain((ids) =>
    fc
      .tuple(...ids.map(() => anyone))
      .map((each) => each.map((rest, n) => ({ user: testId(ids[n] as number), ...rest }))),
  );
const choices = fc.record({
  by: fc.option(fc.constantFrom(...ways)),
  onlyAvailable: fc.boolean(),
  last: fc.option(fc.nat(7).map(testId)),
});
const hasRoom = ({ open, capacity }: Candidate): boolean => capacity === null || open < capacity;

describe("who gets a conversation", () => {
  test("has room, is available where anybody is, and is found wherever somebody can take it (property)", () => {
    fc.assert(
      fc.property(staff, choices, (candidates, choice) => {
        const picked = choose(candidates, choice);
        const found = candidates.find(({ user }) => user === picked);
        const room = candidates.filter(hasRoom);
        const available = room.filter((each) => each.available);
        if (picked === null) expect(choice.onlyAvailable ? available : room).toEqual([]);
        else {
          expect(room).toContain(found);
          if (choice.onlyAvailable || available.length > 0) expect(available).toContain(found);
        }
      }),
    );
  });

  test("does not depend on the order of the candidates (property)", () => {
    fc.assert(
      fc.property(staff, choices, fc.infiniteStream(fc.nat()), (candidates, choice, dice) => {
        const dealt = candidates.map((each) => ({ each, at: dice.next().value as number }));
        const other = dealt.sort((x, y) => x.at - y.at).map(({ each }) => each);
        expect(choose(other, choice)).toBe(choose(candidates, choice));
      }),
    );
  });

  test.each([
    { name: "nobody is there", candidates: [], by: "least_busy", pick: null },
    { name: "all are full", candidates: [candidate(a, { open: 2, capacity: 2 })], by: "round_robin", pick: null },
    { name: "nothing is to be held", candidates: [candidate(a, { capacity: 0 })], by: "least_busy", pick: null },
    {
      name: "who is there is full, and another is away",
      candidates: [candidate(a, { open: 1, capacity: 1 }), candidate(b, { available: false })],
      by: "least_busy",
      pick: b,
    },
    {
      name: "the fewest are held by somebody away",
      candidates: [candidate(a, { open: 7 }), candidate(b, { available: false })],
      by: "least_busy",
      pick: a,
    },
    {
      name: "two hold equally few",
      candidates: [candidate(c), candidate(b), candidate(a, { open: 1 })],
      by: "least_busy",
      pick: b,
    },
    { name: "it begins", candidates: [candidate(b), candidate(a)], by: "round_robin", pick: a },
    { name: "it goes on", candidates: [candidate(a), candidate(b), candidate(c)], by: "round_robin", last: b, pick: c },
    { name: "it comes round", candidates: [candidate(a), candidate(b)], by: "round_robin", last: b, pick: a },
    { name: "the last one left", candidates: [candidate(a), candidate(c)], by: "round_robin", last: b, pick: c },
    { name: "somebody is named", candidates: [candidate(c, { open: 9 })], by: null, pick: c },
  ] as const)("when $name", ({ candidates, by, pick, ...more }) => {
    const { last = null } = more as { readonly last?: string };
    expect(choose(candidates, { by, onlyAvailable: false, last })).toBe(pick);
  });
});

test("in turn, nobody gets a second one before each who could had one, whoever comes and goes (property)", () => {
  const rounds = fc.array(fc.uniqueArray(fc.nat(5), { minLength: 1 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(rounds, (steps) => {
      let last: string | null = null;
      /** by whom got one: who could have had one at every step since, and did not */
      const waiting = new Map<string, Set<string>>();
      for (const step of steps) {
        const users = step.map(testId);
        for (const others of waiting.values())
          for (const each of others) if (!users.includes(each)) others.delete(each);
        const picked = choose(
          users.map((user) => candidate(user)),
          { by: "round_robin", onlyAvailable: true, last },
        );
        expect(users).toContain(picked);
        last = picked as string;
        expect([...(waiting.get(last) ?? [])]).toEqual([]);
        for (const others of waiting.values()) others.delete(last);
        waiting.set(last, new Set(users.filter((each) => each !== last)));
      }
    }),
  );
});

test("in turn, the same few get equally many (property)", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 8 }), fc.nat(60), (ids, count) => {
      const got = new Map(ids.map((id) => [testId(id), 0]));
      let last: string | null = null;
      for (let n = 0; n < count; n += 1) {
        last = choose(
          [...got.keys()].map((user) => candidate(user)),
          { by: "round_robin", onlyAvailable: true, last },
        );
        got.set(last as string, (got.get(last as string) ?? 0) + 1);
      }
      const counts = [...got.values()];
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});
