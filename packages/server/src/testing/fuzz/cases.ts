import fc from "fast-check";
import { hostileBody, hostileText, hostileValue } from "./hostile.ts";
import { spoilt } from "./mutate.ts";
import type { Method, Operation } from "./routes.ts";
import { documents, type JsonSchema, valuesOf } from "./values.ts";
import type { World } from "./world.ts";

/** Who calls. */
export type CallerKind = "owner" | "agent" | "stranger" | "session" | "foreignSession" | "forged";

/** One request, as it goes out. */
export interface Case {
  readonly operation: Operation;
  readonly method: Method;
  /** with its query */
  readonly url: string;
  readonly caller: CallerKind;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Makes cases for all routes: most fit their schemas, the others are spoilt in one place or all over. */
export function casesFor(operations: readonly Operation[], world: World): fc.Arbitrary<Case> {
  return fc.oneof(...operations.map((operation) => casesOf(operation, world)));
}

function casesOf(operation: Operation, world: World): fc.Arbitrary<Case> {
  const noun = nounOf(operation.path);
  const values = (one: Operation["parameters"][number]) => valuesOf(one.schema, one.name, noun, world);
  const inPath = operation.parameters.filter((one) => one.in === "path");
  const path = fc.record(Object.fromEntries(inPath.map((one) => [one.name, mostly(12, values(one), hostileText)])));
  const inQuery = operation.parameters.filter((one) => one.in === "query");
  const queries = (some: typeof inQuery) =>
    fc.record(Object.fromEntries(some.map((one) => [one.name, mostly(5, values(one), hostileInQuery)])), {
      requiredKeys: [],
    });
  // a cursor is refused with nearly every other filter than its own, and hides what they do
  const query = mostly(4, queries(inQuery.filter((one) => one.name !== "cursor")), queries(inQuery));
  const extra = fc.oneof(
    { weight: 20, arbitrary: fc.constant<readonly [string, string][]>([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(hostileText, hostileText), { maxLength: 2 }) },
  );
  return fc
    .record({
      path,
      query,
      extra,
      caller,
      headers: headersOf(operation),
      body: bodiesOf(operation, noun, world),
      method: mostly(60, fc.constant(operation.method), fc.constantFrom(...methods)),
    })
    .map(({ path, query, extra, caller, headers, body, method }) => ({
      operation,
      method,
      url: addressOf(operation.path, path, [...Object.entries(query), ...extra]),
      caller,
      headers,
      body,
    }));
}

const hostileInQuery = fc.oneof({ weight: 4, arbitrary: hostileText }, { weight: 1, arbitrary: hostileValue });

const mostly = <A, B>(weight: number, usual: fc.Arbitrary<A>, odd: fc.Arbitrary<B>): fc.Arbitrary<A | B> =>
  fc.oneof<fc.WeightedArbitrary<A | B>[]>({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });

const caller: fc.Arbitrary<CallerKind> = fc.oneof(
  { weight: 60, arbitrary: fc.constant<CallerKind>("owner") },
  { weight: 12, arbitrary: fc.constant<CallerKind>("agent") },
  { weight: 12, arbitrary: fc.constant<CallerKind>("stranger") },
  { weight: 10, arbitrary: fc.constant<CallerKind>("session") },
  { weight: 2, arbitrary: fc.constant<CallerKind>("foreignSession") },
  { weight: 3, arbitrary: fc.constant<CallerKind>("forged") },
);

const methods: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const latin = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "").slice(0, 500);

function headersOf({ streams, method }: Operation): fc.Arbitrary<Record<string, string>> {
  const odd = hostileText.map(latin);
  const key =
    method === "POST"
      ? fc.oneof(
          odd,
          fc.nat(200).map((n) => `key-${n}`),
        )
      : odd;
  const named = {
    "idempotency-key": key,
    "accept-language": odd,
    "if-match": odd,
    "content-type": fc.constantFrom("application/json; charset=utf-8", "application/JSON", "text/plain", "garbage", ""),
    ...(streams && { "last-event-id": fc.oneof(odd, fc.nat(1000).map(String)) }),
  };
  return mostly(
    3,
    fc.constant({}),
    fc.record(named, { requiredKeys: [] }).map((all) => pickOne(all)),
  );
}

/** One header at a time: two odd ones hide each other. */
const pickOne = (all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).slice(0, 1));

function bodiesOf({ body, media, path }: Operation, noun: string, world: World): fc.Arbitrary<string | null> {
  if (media !== null) return fc.oneof(media.includes("form") ? formOf(world) : tables, hostileBody);
  if (body === null) return mostly(15, fc.constant(null), hostileBody);
  const fit = isDocument(path, body) ? documents(world) : valuesOf(body, "body", noun, world);
  return fc.oneof(
    { weight: 55, arbitrary: fit.map(written) },
    { weight: 35, arbitrary: spoilt(fit).map(written) },
    { weight: 5, arbitrary: hostileValue.map(written) },
    { weight: 3, arbitrary: hostileBody },
    { weight: 2, arbitrary: fc.constant(null) },
  );
}

const written = (value: unknown): string => JSON.stringify(value) ?? "null";

/** Workflow documents are open in the reference: the core reads them, and says what is wrong. */
const isDocument = (path: string, { description }: JsonSchema): boolean =>
  description === "A workflow document" || path.endsWith("/workflows/validate");

/** Tables as people export them, whole and broken. */
const tables: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(",", ";", "\t", "|"),
    fc.array(
      fc.array(mostly(3, fc.constantFrom("phone", "+14155550100", "Ann", '"a ""b"""'), hostileText), { maxLength: 4 }),
      {
        maxLength: 5,
      },
    ),
    fc.constantFrom("\n", "\r\n", "\r"),
  )
  .map(([separator, rows, end]) => rows.map((cells) => cells.join(separator)).join(end));

const formOf = (world: World): fc.Arbitrary<string> =>
  fc
    .dictionary(
      fc.constantFrom("From", "To", "Body", "MessageSid", "NumMedia", "MediaUrl0", "MessageStatus", "AccountSid"),
      fc.oneof(
        hostileText,
        fc.constantFrom("+14155550100", "1", "delivered"),
        fc.nat().map((n) => world.name(n)),
      ),
    )
    .map((fields) => new URLSearchParams(fields).toString());

/** What a route is about: the first word of its path below the prefix, in the singular. */
function nounOf(path: string): string {
  const words = path.split("/").filter((word) => word !== "");
  // what these name by ids is conversations, mostly
  if (words[2] === "jobs" || words[2] === "runs") return "conversation";
  return (words[2] ?? "").replace(/ies$/, "y").replace(/xes$/, "x").replace(/s$/, "").replaceAll("-", "_");
}

function addressOf(
  path: string,
  given: Readonly<Record<string, unknown>>,
  query: readonly [string, unknown][],
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(given[name]));
  const said = query.map(([name, value]) => `${escaped(name)}=${escaped(textOf(value))}`).join("&");
  return said === "" ? filled : `${filled}?${said}`;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** An empty part of a path would be another address. */
const segment = (value: unknown): string => escaped(textOf(value)).slice(0, 3000) || "%20";

/** As a browser would; half a surrogate has no UTF-8 and goes out as a byte that is none. */
function escaped(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ed%a0%bd";
}
