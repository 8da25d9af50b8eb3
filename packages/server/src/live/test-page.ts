import { type ClientRequest, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type ApiAnswer, testToken, type TestApi } from "../testing/test-api.ts";
import type { LiveChange } from "./change.ts";

/** One message of a stream. */
export interface Heard {
  readonly event: string;
  /** of every kind, as an answer's */
  readonly data: ApiAnswer["json"];
  readonly id: number | null;
}

/** A page of a test that is told of changes, and knows the number that it would come back with. */
export interface TestPage {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly heard: readonly Heard[];
  readonly lastId: number | null;
  readonly ended: boolean;
  /** the events of all `changes`, in the order in which they came */
  changes(): LiveChange[];
  named(event: string): Heard[];
  /** Waits until it was told something that fits. */
  until(what: (page: TestPage) => boolean): Promise<void>;
  /** Stops to take what it is sent. */
  pause(): void;
  resume(): void;
  /** Is gone, without a word. */
  kill(): void;
}

/** Opens a page on a server. */
export async function openPage(
  api: Pick<TestApi, "server">,
  {
    token = testToken,
    after,
    query = "",
  }: { readonly token?: string; readonly after?: number | string | null; readonly query?: string } = {},
): Promise<TestPage> {
  const { port } = api.server.app.server.address() as AddressInfo;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(after !== undefined && after !== null && { "last-event-id": String(after) }),
  };
  const heard: Heard[] = [];
  let lastId: number | null = null;
  let ended = false;
  let rest = "";
  const [request, answer] = await new Promise<[ClientRequest, IncomingMessage]>((resolve, reject) => {
    const asked = get({ host: "localhost", port, path: `/api/v2/live${query}`, headers, agent: false }, (response) =>
      resolve([asked, response]),
    );
    asked.once("error", reject);
  });
  request.on("error", () => {});
  answer.on("error", () => {});
  answer.on("close", () => (ended = true));
  answer.setEncoding("utf8");
  answer.on("data", (text: string) => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      const id = fields.has("id") ? Number(fields.get("id")) : null;
      if (id !== null) lastId = id;
      const data = fields.get("data");
      if (data !== undefined) heard.push({ event: fields.get("event") ?? "message", data: JSON.parse(data), id });
    }
  });
  const page: TestPage = {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    heard,
    get lastId() {
      return lastId;
    },
    get ended() {
      return ended;
    },
    changes: () => heard.flatMap(({ event, data }) => (event === "changes" ? (data as LiveChange[]) : [])),
    named: (event) => heard.filter((each) => each.event === event),
    async until(what) {
      const patience = performance.now() + 60_000;
      while (!what(page)) {
        if (performance.now() > patience)
          throw new Error(`not told; heard: ${JSON.stringify(heard.slice(-5)).slice(0, 2000)}`);
        await pause(20);
      }
    },
    pause: () => void answer.pause(),
    resume: () => void answer.resume(),
    kill: () => void request.destroy(),
  };
  if (page.status === 200) await page.until(() => heard.length > 0);
  return page;
}
