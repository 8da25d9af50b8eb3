import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SettingsIndex } from "@threadmill/core";
import type { Home, TestEngine, TestLanes } from "../lanes/test-lanes.ts";
import { createMetrics } from "../observe/metrics.ts";
import { systemClock } from "../process/clock.ts";
import { createLive, type Live } from "./live.ts";
import type { openPage } from "./test-page.ts";

/** Live updates alone. */
export interface LiveHouse extends AsyncDisposable {
  readonly live: Live;
  readonly engine: TestEngine;
  /** what pages of a test are opened on */
  readonly server: Parameters<typeof openPage>[0];
  /** how much is on its way to each page, in bytes */
  unsent(): number[];
}

/** Opens them behind a bare HTTP server on which every page is the owner's; `settings` may say otherwise what they see. */
export async function liveHouse(
  lanes: TestLanes,
  home: Home,
  {
    patienceMs = 30_000,
    settings = (given) => given,
  }: { readonly patienceMs?: number; readonly settings?: (given: SettingsIndex) => SettingsIndex } = {},
): Promise<LiveHouse> {
  const engine = lanes.engine();
  const errors: unknown[] = [];
  const live = createLive({
    pool: lanes.pool,
    engine: {
      onLog: (listener) => engine.onLog(listener),
      settings: async (place) => settings(await engine.settings(place)),
    },
    clock: systemClock,
    random: Math.random,
    log: { warn: () => {}, error: (fields) => errors.push(fields) },
    metrics: createMetrics(),
    ended: async () => new Set(),
    patienceMs,
  });
  const caller = {
    place: home.place,
    actor: { kind: "user", id: home.owner },
    id: "caller",
    user: home.owner,
    token: null,
    session: null,
    scopes: null,
  } as unknown as Parameters<Live["attach"]>[0]["caller"];
  const responses: { readonly writableLength: number }[] = [];
  const http = createServer((request, response) => {
    responses.push(response);
    const said = request.headers["last-event-id"];
    const after = said === undefined ? null : Number(said);
    void live.attach({ place: home.place, caller, response, headers: {}, after });
  });
  await new Promise<void>((resolve) => http.listen(0, "localhost", resolve));
  const abort = new AbortController();
  const running = live.service.run(abort.signal);
  const { port } = http.address() as AddressInfo;
  return {
    live,
    engine,
    server: { server: { app: { server: { address: () => ({ port }) } } } } as unknown as LiveHouse["server"],
    unsent: () => responses.map(({ writableLength }) => writableLength),
    async [Symbol.asyncDispose]() {
      live.stop();
      abort.abort();
      await running;
      if (errors.length > 0) throw new Error(`Live updates failed: ${JSON.stringify(errors)}`);
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
