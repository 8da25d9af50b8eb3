import fc from "fast-check";
import type { LightMyRequestResponse } from "fastify";
import { testPublicUrl, type TestApi } from "../test-api.ts";
import { type Case, casesFor, type CallerKind } from "./cases.ts";
import type { Operation } from "./routes.ts";
import type { World } from "./world.ts";

/** Something that must not happen, and the first request that showed it. */
export interface Finding {
  readonly what: string;
  readonly request: string;
  count: number;
}

/** What became of the cases. */
export interface FuzzReport {
  readonly cases: number;
  readonly seed: number;
  readonly findings: readonly Finding[];
  /** how many answers had which status */
  readonly statuses: Readonly<Record<string, number>>;
  /** routes that never took what they were given: what is behind their checks was not reached */
  readonly neverTaken: readonly string[];
}

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** requests under way at once */
  readonly parallel: number;
}

/** Cases are made in lots, so that what earlier ones left behind is drawn from. */
const lot = 500;

/** Sends so many cases and judges each answer. The same seed makes the same cases, but for the ids of their world. */
export async function fuzz(
  api: TestApi,
  world: World,
  operations: readonly Operation[],
  { cases, seed, parallel }: FuzzOptions,
): Promise<FuzzReport> {
  const drawn = casesFor(operations, world);
  const findings = new Map<string, Finding>();
  const statuses: Record<string, number> = {};
  const taken = new Set<string>();
  const note = (what: string, one: Case): void => {
    const found = findings.get(what);
    if (found === undefined) findings.set(what, { what, request: told(one), count: 1 });
    else found.count += 1;
  };
  for (let from = 0; from < cases; from += lot) {
    await world.look();
    const waiting = fc.sample(drawn, { seed: seed + from, numRuns: Math.min(lot, cases - from) });
    const work = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        const { status, wrong } = await judged(api, world, one);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status < 300) taken.add(routeOf(one.operation));
        for (const what of wrong) note(`${one.method} ${one.operation.path}: ${what}`, one);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
  }
  const neverTaken = operations.map(routeOf).filter((route) => !taken.has(route));
  return { cases, seed, findings: [...findings.values()], statuses, neverTaken };
}

const routeOf = ({ method, path }: Operation): string => `${method} ${path}`;

/** A request as a person can send it again. */
const told = ({ method, url, caller, headers, body }: Case): string =>
  `${method} ${url.slice(0, 600)} as ${caller} ${JSON.stringify(headers)} ${(body ?? "").slice(0, 3000)}`;

export interface Judged {
  readonly status: number;
  readonly wrong: readonly string[];
}

/** Sends a case and says what is wrong with its answer. */
export async function judged(api: TestApi, world: World, one: Case): Promise<Judged> {
  const { cookie: _, ...page } = world.session;
  const headers = { ...(one.operation.open && page), ...credentials(world, one.caller), ...headersOf(one) };
  if (one.operation.streams) return { status: await headOf(api, one, headers), wrong: [] };
  const wrong: string[] = [];
  const inReference =
    one.url.startsWith("/api/v2/") && !one.operation.plain && !one.operation.open && one.method !== "HEAD";
  let status: number;
  let text: string;
  if (inReference) {
    try {
      // an answer that the reference does not promise is thrown
      const answer = await api.call(one.method, one.url.slice("/api/v2".length), {
        token: null,
        headers,
        ...(one.body !== null && { body: one.body }),
      });
      ({ status, text } = answer);
      const next = (answer.json as { next_cursor?: unknown } | null)?.next_cursor;
      if (typeof next === "string") world.keepCursor(next);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      status = Number(/ answered (\d+)/.exec(said)?.[1] ?? 599);
      text = said;
      // without the address: what differs in it alone is one finding
      wrong.push(said.slice(Math.max(0, said.indexOf(" answered "))).slice(0, 400));
    }
  } else {
    const answer = await raw(api, one, headers);
    ({ statusCode: status, body: text } = answer);
    if (status >= 500) wrong.push(`${status} ${text.slice(0, 200)}`);
  }
  if (one.caller === "forged" && status < 400 && !one.operation.open) wrong.push(`answers ${status} to nobody`);
  const leak = leakIn(text, one, world);
  if (leak !== null) wrong.push(leak);
  return { status, wrong };
}

let addresses = 0;

/** Strangers are limited by their address: each comes from another. */
const raw = (api: TestApi, one: Case, headers: Record<string, string>): Promise<LightMyRequestResponse> => {
  addresses += 1;
  return api.raw({
    method: one.method,
    url: one.url,
    headers,
    remoteAddress: `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`,
    ...(one.body !== null && { payload: one.body }),
  });
};

/** The status of an answer that goes on: its head is enough, then the caller hangs up. */
async function headOf(api: TestApi, one: Case, headers: Record<string, string>): Promise<number> {
  const answer = await api.server.app.inject({
    method: one.method,
    url: one.url,
    headers,
    payloadAsStream: true,
    ...(one.body !== null && { payload: one.body }),
  });
  const stream = answer.stream();
  stream.on("error", () => {});
  stream.destroy();
  return answer.statusCode;
}

function headersOf({ headers, body, operation }: Case): Record<string, string> {
  return { ...(body !== null && { "content-type": operation.media ?? "application/json" }), ...headers };
}

function credentials(world: World, caller: CallerKind): Record<string, string> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  switch (caller) {
    case "owner":
      return bearer(world.own.token);
    case "agent":
      return bearer(world.agentToken);
    case "stranger":
      return bearer(world.others.token);
    case "session":
      return { ...world.session };
    case "foreignSession":
      return { ...world.session, origin: "https://evil.test" };
    case "forged":
      return { ...bearer(`${world.own.token.slice(0, -1)}0`), origin: testPublicUrl };
  }
}

/** What an answer holds that belongs to an organization that does not call, and that the caller did not say. */
function leakIn(text: string, one: Case, world: World): string | null {
  const mark = one.caller === "stranger" ? world.own.mark : world.others.mark;
  if (text.includes(mark)) return "tells what another organization wrote";
  if (one.caller === "stranger") return null;
  for (const [id] of text.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g))
    if (world.isForeign(id) && !world.isShown(id)) return "names a row of another organization";
  return null;
}
