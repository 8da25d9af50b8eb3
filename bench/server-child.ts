import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Tenant } from "./installation.ts";

/** A server in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  readonly tenants: readonly Tenant[];
  stop(): Promise<void>;
}

/** Starts one with so many organizations, each in a lane of its own. */
export async function startServerProcess(lanes: number): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./server-process.ts", import.meta.url)), String(lanes)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const line = await Promise.race([
    firstLine(child.stdout),
    ended.then(() => Promise.reject(new Error("The server ended before it could be asked"))),
  ]);
  return {
    pid: child.pid as number,
    ...(JSON.parse(line) as { url: string; tenants: Tenant[] }),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) if (line.startsWith('{"url"')) return line;
  throw new Error("The server said nothing");
}
