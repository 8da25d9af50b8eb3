import { main as serve } from "@threadmill/server";
import { runCommandLine } from "./program.ts";

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  const exit = await runCommandLine(process.argv.slice(2), {
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY,
    serve,
  });
  if (exit !== undefined) process.exitCode = exit;
}
