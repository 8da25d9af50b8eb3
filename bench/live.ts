import { createConnection, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { numberArgument, quantile, round } from "./figures.ts";
import { openHttpLoad } from "./http-load.ts";
import type { Tenant } from "./installation.ts";
import { fieldKb, processSeconds } from "./processes.ts";
import { startServerProcess } from "./server-child.ts";

/** A caller may have a hundred streams; more take more tokens. */
const streamsOfToken = 100;

/**
 * What open pages cost a server: memory that so many take when they are open, and the share of one core that they take
 * while messages come in at a fixed rate, beyond what the messages alone take. Each page is a connection of its own that
 * reads all it is sent; one in each hundred looks into it, and tells how late it hears.
 */
export async function live(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const connections = numberArgument(argv, "connections") ?? 2000;
  const rate = numberArgument(argv, "rate") ?? 100;
  const seconds = numberArgument(argv, "seconds") ?? 20;
  const many = await scene({ connections, rate, seconds, organizations: Math.ceil(connections / streamsOfToken) }, say);
  const one = await scene({ connections, rate, seconds, organizations: 1 }, say);
  return {
    connections,
    messagesPerSecond: rate,
    megabytesMore: many.megabytesMore,
    corePercent: many.corePercent,
    lagP50Ms: many.lagP50Ms,
    lagP99Ms: many.lagP99Ms,
    kilobytesPerSecond: many.kilobytesPerSecond,
    organizations: many.organizations,
    oneOrganization: one,
  };
}

interface Scene {
  readonly connections: number;
  readonly rate: number;
  readonly seconds: number;
  readonly organizations: number;
}

async function scene({ connections, rate, seconds, organizations }: Scene, say: (text: string) => void) {
  const server = await startServerProcess(organizations);
  const load = openHttpLoad(server.url, server.tenants);
  const pages: Page[] = [];
  let sent = 0;
  const messages = async (forSeconds: number): Promise<void> => {
    const started = performance.now();
    const sending: Promise<void>[] = [];
    const count = Math.ceil(forSeconds * rate);
    for (let n = 0; n < count;) {
      const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * rate) + 1);
      for (; n < due; n += 1) sending.push(load.send(sent++));
      await pause(2);
    }
    await Promise.all(sending);
  };
  const share = async (act: () => Promise<void>): Promise<number> => {
    const [before, at] = [processSeconds(server.pid), performance.now()];
    await act();
    return (processSeconds(server.pid) - before) / ((performance.now() - at) / 1000);
  };
  const memory = (): number => fieldKb(`/proc/${server.pid}/status`, "VmRSS") / 1024;
  try {
    await messages(20);
    const before = await share(() => messages(seconds));
    const [quiet, memoryBefore] = [await share(() => pause(3000)), memory()];
    const tokens = await tokensFor(server.url, server.tenants, connections);
    for (let n = 0; n < connections; n += 50) {
      const some = Array.from({ length: Math.min(50, connections - n) }, (_, k) =>
        openPage(server.url, tokens[(n + k) % tokens.length] as string, (n + k) % 100 === 0),
      );
      pages.push(...(await Promise.all(some)));
    }
    const idle = await share(() => pause(5000));
    const memoryOpen = memory();
    await messages(5);
    for (const page of pages) page.begin();
    const [bytesBefore, begun] = [total(pages), performance.now()];
    const together = await share(() => messages(seconds));
    const kilobytesPerSecond = (total(pages) - bytesBefore) / 1024 / ((performance.now() - begun) / 1000);
    await pause(2000);
    const memoryAfter = memory();
    for (const page of pages) page.close();
    await messages(3);
    // what runs for longer runs faster: the messages alone are measured on both sides
    const after = await share(() => messages(seconds));
    const alone = (before + after) / 2;
    say(`${round(before * 100, 1)} % before, ${round(together * 100, 1)} % together, ${round(after * 100, 1)} % after`);
    const lags = pages.flatMap((page) => page.lags);
    const heard = pages.filter((page) => page.looks).map((page) => page.received);
    const wanted = (rate * seconds) / organizations;
    if (Math.min(...heard) < Math.floor(wanted) - 1)
      throw new Error(`A page heard of ${Math.min(...heard)} messages where ${wanted} came in`);
    const figures = {
      organizations,
      megabytesMore: round(Math.max(memoryOpen, memoryAfter) - memoryBefore, 1),
      megabytesOpen: round(memoryOpen - memoryBefore, 1),
      corePercent: round((together - alone) * 100, 1),
      corePercentIdle: round((idle - quiet) * 100, 1),
      messagesAloneCorePercent: round(alone * 100, 1),
      lagP50Ms: round(quantile(lags, 0.5)),
      lagP99Ms: round(quantile(lags, 0.99)),
      kilobytesPerSecond: round(kilobytesPerSecond),
    };
    say(
      `${connections} pages of ${organizations} organizations: ${figures.megabytesMore} MB more, ${figures.corePercent} % of a core more at ${rate} messages/s (${figures.corePercentIdle} % at rest), told within ${figures.lagP50Ms} / ${figures.lagP99Ms} ms, ${figures.kilobytesPerSecond} kB/s sent`,
    );
    return figures;
  } finally {
    for (const page of pages) page.close();
    load.close();
    await server.stop();
  }
}

/** Tokens enough for all pages, in turn of the organizations. */
async function tokensFor(url: string, tenants: readonly Tenant[], connections: number): Promise<string[]> {
  const tokens = tenants.map(({ token }) => token);
  while (tokens.length * streamsOfToken < connections) {
    const { token } = tenants[tokens.length % tenants.length] as Tenant;
    const answer = await fetch(`${url}/api/v2/tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: `pages ${tokens.length}` }),
    });
    tokens.push(((await answer.json()) as { token: string }).token);
  }
  return tokens;
}

interface Page {
  readonly looks: boolean;
  /** messages that it heard of since it began to count */
  readonly received: number;
  /** how late it heard of each, in ms */
  readonly lags: readonly number[];
  readonly bytes: number;
  begin(): void;
  close(): void;
}

/** Opens a stream on a bare socket: what a page costs its own machine is not to be measured. */
async function openPage(url: string, token: string, looks: boolean): Promise<Page> {
  const { hostname, port } = new URL(url);
  const socket: Socket = createConnection({ host: hostname, port: Number(port) });
  const lags: number[] = [];
  let [received, bytes, rest] = [0, 0, ""];
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.write(`GET /api/v2/live HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    socket.once("data", (first: Buffer) => {
      if (first.toString().startsWith("HTTP/1.1 200")) resolve();
      else reject(new Error(`A page was answered ${first.toString().slice(0, 300)}`));
    });
  });
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (!looks) return;
    const now = Date.now();
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) {
      if (!line.startsWith("data: [")) continue;
      for (const { type, at } of JSON.parse(line.slice(6)) as { type: string; at: string }[]) {
        if (type !== "message.received") continue;
        received += 1;
        lags.push(now - Date.parse(at));
      }
    }
  });
  return {
    looks,
    get received() {
      return received;
    },
    get lags() {
      return lags;
    },
    get bytes() {
      return bytes;
    },
    begin() {
      received = 0;
      lags.length = 0;
    },
    close: () => socket.destroy(),
  };
}

const total = (pages: readonly Page[]): number => pages.reduce((sum, page) => sum + page.bytes, 0);
