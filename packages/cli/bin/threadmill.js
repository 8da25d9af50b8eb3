#!/usr/bin/env node
// `npx threadmill ...` in a clone. Plain JavaScript, because a Node before 24 cannot load the program itself: such a Node
// looks for the one that `npm ci` brought as an optional package, and hands over to it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= 24) {
  const { main } = await import("../src/main.ts");
  await main();
} else {
  const newer = findNewerNode(dirname(here));
  if (newer !== undefined) handOver(newer);
  else {
    process.stderr.write(
      `Threadmill needs Node >= 24, and this is Node ${process.versions.node}: run \`npm ci\` first, which brings one ` +
        "for Linux, Windows and Intel Macs, or install Node 24.\n",
    );
    process.exitCode = 1;
  }
}

/** The Node of the package node-<system>-<processor> in the nearest node_modules above. */
function findNewerNode(folder) {
  const system = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  const path = join(folder, "node_modules", `node-${system}-${process.arch}`, "bin", file);
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : findNewerNode(above);
}

/** Runs the same command line with another Node, and ends as it ends. */
function handOver(node) {
  const path = [dirname(node), process.env.PATH].join(delimiter);
  const child = spawn(node, [here, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  // A Ctrl-C reaches the child from the terminal already; what is sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    throw error;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
