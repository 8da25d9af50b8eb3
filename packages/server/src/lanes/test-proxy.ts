import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * What to do with the next COMMIT that passes: let it through, cut the connection before the server got it, cut right
 * after it was forwarded, or cut when the server has answered and the client has not heard.
 */
export type Cut = "none" | "before" | "halfway" | "after";

/** A wire between an engine and its database that can break at the worst moment. */
export interface TestProxy {
  /** the same database, reached through the wire */
  readonly url: string;
  /** what becomes of the next COMMITs, one after the other; then all pass */
  readonly plan: Cut[];
  /** how many COMMITs were cut */
  readonly cuts: Cut[];
  /** Breaks every connection, and refuses new ones until `mend`. */
  break(): void;
  mend(): void;
  close(): Promise<void>;
}

const commit = Buffer.from("commit\0");
const committed = Buffer.from("COMMIT\0");

export async function testProxy(databaseUrl: string): Promise<TestProxy> {
  const target = new URL(databaseUrl);
  const plan: Cut[] = [];
  const cuts: Cut[] = [];
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let broken = false;
  const listener = createServer((client) => {
    if (broken) {
      client.destroy();
      return;
    }
    const server = createConnection({ host: target.hostname, port: Number(target.port) });
    const pair = { client, server };
    pairs.add(pair);
    let cutOnAnswer = false;
    const cut = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("data", (chunk) => {
      const what = chunk.includes(commit) ? (plan.shift() ?? "none") : "none";
      if (what === "before" || what === "halfway") cuts.push(what);
      if (what === "before") return cut();
      if (what === "halfway") return void server.write(chunk, cut);
      cutOnAnswer ||= what === "after";
      server.write(chunk);
    });
    // the statements before COMMIT are answered first: they share its round trip
    server.on("data", (chunk) => {
      if (!cutOnAnswer || !chunk.includes(committed)) return void client.write(chunk);
      cuts.push("after");
      cut();
    });
    for (const socket of [client, server]) {
      socket.on("error", cut);
      socket.on("close", cut);
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as AddressInfo).port);
  const cutAll = (): void => {
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
    pairs.clear();
  };
  return {
    url: url.href,
    plan,
    cuts,
    break() {
      broken = true;
      cutAll();
    },
    mend() {
      broken = false;
    },
    close() {
      cutAll();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
