import { spawn } from "node:child_process";
import { join } from "node:path";
import { readText, root } from "./files.ts";

/** How a tool ended: whether it was content, and what it printed (empty when it printed to the terminal itself). */
export type Outcome = { readonly ok: boolean; readonly output: string };

/**
 * Runs the command of an installed package with the Node that runs us, from the root. With `show`, its output goes to
 * the terminal; otherwise it is returned. A tool that is killed or cannot start is not ok.
 */
export async function runTool(name: string, args: readonly string[], show = false): Promise<Outcome> {
  const { bin } = JSON.parse(readText(`node_modules/${name}/package.json`)) as { bin: string | Record<string, string> };
  const command = typeof bin === "string" ? bin : Object.values(bin)[0];
  const script = join(root, "node_modules", name, command ?? "");
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", ...outputs(show)] });
  const chunks: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, output: chunks.join("") }));
  });
}

function outputs(show: boolean): ["inherit", "inherit"] | ["pipe", "pipe"] {
  return show ? ["inherit", "inherit"] : ["pipe", "pipe"];
}
