import { randomInt } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leftBehind } from "../testing/fuzz/left-behind.ts";
import { type Operation, operationsOf } from "../testing/fuzz/routes.ts";
import { fuzz } from "../testing/fuzz/run.ts";
import { makeWorld, type World } from "../testing/fuzz/world.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";

// 100,000 cases take minutes: `npm test` sends some, other ones each time
const cases = Number(process.env["THREADMILL_FUZZ_CASES"] ?? 6000);
const seed = Number(process.env["THREADMILL_FUZZ_SEED"] ?? randomInt(1_000_000));
const again = `THREADMILL_FUZZ_SEED=${seed} THREADMILL_FUZZ_CASES=${cases}`;

let api: TestApi;
let world: World;
let operations: Operation[];
/** what the server itself said of its faults */
const faults = new Set<string>();

beforeAll(async () => {
  const log = pino({ level: "error" }, { write: (line: string) => void faults.add(line.slice(0, 2000)) });
  // nothing leaves the house
  api = await startTestApi({ THREADMILL_EFFECT_WORKERS: "0" }, log);
  world = await makeWorld(api);
  operations = operationsOf(api);
}, 120_000);
afterAll(() => api.close());

test("a refused request leaves nothing behind", async () => {
  const { refused, found } = await leftBehind(api, world, operations, { cases: Math.ceil(cases / 30), seed });
  expect(refused).toBeGreaterThan(cases / 200);
  expect({ again, found }).toEqual({ again, found: [] });
}, 600_000);

test("no request brings a fault, another organization's data, or an answer to nobody", async () => {
  const began = performance.now();
  const report = await fuzz(api, world, operations, { cases, seed, parallel: 16 });
  const rate = Math.round(cases / ((performance.now() - began) / 1000));
  process.stdout.write(`fuzz: ${again}, ${rate} cases/s, ${JSON.stringify(report.statuses)}\n`);
  expect({ again, findings: report.findings, faults: [...faults] }).toEqual({ again, findings: [], faults: [] });
  // most of what fits its schema is to come beyond the checks, else nothing behind them is tried
  const taken = Object.entries(report.statuses).filter(([status]) => status.startsWith("2"));
  expect(taken.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(cases / 6);
  for (const token of [world.own.token, world.agentToken, world.others.token])
    expect(await api.call("GET", "/me", { token })).toMatchObject({ status: 200 });
}, 1_200_000);
