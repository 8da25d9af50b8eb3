import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import type { TSchema } from "typebox";
import Compile, { type Validator } from "typebox/compile";
import { loadConfig } from "../config/load.ts";
import { Problem, problemMediaType } from "../http/problems.ts";
import type { Log } from "../observe/log.ts";
import { type Server, startServer } from "../server.ts";
import { createTestDatabase } from "./test-database.ts";

/** The token that a test server's first organization has. */
export const testToken = "tm_0123456789abcdef0123456789abcdef";
/** The address against which webhooks of a test server are signed. */
export const testPublicUrl = "https://threadmill.test";

/** One request to a test server. */
export interface ApiRequest {
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  /** JSON when it is no string */
  readonly body?: unknown;
}

/** What came back. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: LightMyRequestResponse["headers"];
  // tests look into answers of every kind; a wrong look fails the test
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
  readonly text: string;
}

/** A whole server on a database of its own, asked without a network. */
export interface TestApi extends AsyncDisposable {
  readonly server: Server;
  readonly databaseUrl: string;
  /** Asks below /api/v2, and holds the answer against the schema that the reference promises. */
  call(method: NonNullable<InjectOptions["method"]>, path: string, request?: ApiRequest): Promise<ApiAnswer>;
  /** Asks any address, as it is. */
  raw(options: InjectOptions): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

/** Starts a server for a test file; close it afterwards. With `DATABASE_URL` of another it is a second process beside that one. */
export async function startTestApi(
  env: Record<string, string> = {},
  log: Log = pino({ level: process.env["TEST_LOG"] ?? "silent" }),
): Promise<TestApi> {
  const given = env["DATABASE_URL"];
  const database = given === undefined ? await createTestDatabase() : { url: given, drop: async () => {} };
  const loaded = loadConfig(
    {
      DATABASE_URL: database.url,
      PORT: "0",
      THREADMILL_TOKEN: testToken,
      THREADMILL_PUBLIC_URL: testPublicUrl,
      THREADMILL_SECRET_KEY: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
      ...env,
    },
    [],
  );
  if (loaded.kind !== "config") throw new Error(`The test's configuration is wrong: ${JSON.stringify(loaded)}`);
  const server = await startServer(loaded.config, log);
  const { app } = server;
  const promised = promisedSchemas(app.swagger() as unknown as OpenApi);
  const close = async () => {
    await server.stop();
    await database.drop();
  };
  return {
    server,
    databaseUrl: database.url,
    raw: async (options) => app.inject(options),
    async call(method, path, { token = testToken, headers = {}, body } = {}) {
      const answer = await app.inject({
        method,
        url: `/api/v2${path}`,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { payload: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const json: unknown = answer.body === "" ? null : JSON.parse(answer.body);
      hold(promised, method, path, answer, json);
      return { status: answer.statusCode, headers: answer.headers, json, text: answer.body };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface OpenApi {
  readonly paths: Record<
    string,
    Record<
      string,
      { readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: TSchema }> }> }
    >
  >;
}
type Promised = readonly {
  readonly method: string;
  readonly path: RegExp;
  readonly exact: boolean;
  readonly answers: ReadonlyMap<number, Validator>;
  readonly statuses: ReadonlySet<number>;
}[];

/** What the OpenAPI document says of each route's answers. */
function promisedSchemas({ paths }: OpenApi): Promised {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => {
      const answers = new Map<number, Validator>();
      for (const [status, { content }] of Object.entries(responses)) {
        const schema = content?.["application/json"]?.schema;
        if (schema !== undefined) answers.set(Number(status), Compile(schema));
      }
      const form = path.replace(/\{[^}]+\}/g, "[^/]+");
      const statuses = new Set(Object.keys(responses).map(Number));
      return {
        method: method.toUpperCase(),
        path: new RegExp(`^${form}$`),
        exact: !path.includes("{"),
        answers,
        statuses,
      };
    }),
  );
}

const problems = Compile(Problem);

function hold(promised: Promised, method: string, path: string, answer: LightMyRequestResponse, json: unknown): void {
  const { statusCode: status } = answer;
  const say = (what: string) =>
    new Error(`${method} ${path} answered ${status}, ${what}: ${answer.body.slice(0, 2000)}`);
  if (status >= 500) throw say("a fault");
  const [bare] = `/api/v2${path}`.split("?", 1) as [string];
  const routes = promised.filter((one) => one.method === method && one.path.test(bare));
  const route = routes.find((one) => one.exact) ?? routes[0];
  if (status >= 400) {
    if (!String(answer.headers["content-type"]).startsWith(problemMediaType) || !problems.Check(json))
      throw say("which is no problem");
    if (route !== undefined && !route.statuses.has(status)) throw say("which the reference does not promise");
    return;
  }
  const validator = route?.answers.get(status);
  if (validator === undefined) throw say("which the reference does not promise");
  if (!validator.Check(json))
    throw say(`which does not fit its schema: ${JSON.stringify(validator.Errors(json).slice(0, 3))}`);
}
