import { readFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { exitCodes } from "@threadmill/server";
import { describe, expect, test } from "vitest";
import { commands } from "./commands.ts";
import { explain } from "./explain.ts";
import { cliMarkdown } from "./page.ts";
import { groups, runCommandLine } from "./program.ts";

async function run(argv: string[], env: Record<string, string> = {}) {
  let out = "";
  let err = "";
  const served: string[][] = [];
  const exit = await runCommandLine(argv, {
    env,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    terminal: false,
    serve: async (words) => void served.push([...words]),
  });
  return { exit, out, err, served };
}

describe("the table", () => {
  test("docs/cli.md is in step (update it with vitest -u)", async () => {
    await expect(cliMarkdown()).toMatchFileSnapshot("../../../docs/cli.md");
  });

  test("every command is told apart, its group is described, and its exits are of the one table", () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { name, exits } of commands) {
      if (name.includes(" ")) expect(groups).toHaveProperty(name.split(" ")[0] as string);
      for (const exit of Object.keys(exits)) expect(exitCodes).toHaveProperty(exit);
    }
  });

  test.each(commands.map(({ name }) => [name]))("%s has help that names its flags", async (name) => {
    const { exit, out } = await run([...name.split(" "), "--help"]);
    expect(exit).toBe(0);
    const command = commands.find((one) => one.name === name);
    for (const flag of ["json", ...(command?.flags ?? []).map((one) => one.name)]) expect(out).toContain(`--${flag}`);
  });
});

describe("a command line", () => {
  test("start hands its words to the server", async () => {
    expect(await run(["start", "--port", "4000", "--help"])).toMatchObject({
      exit: undefined,
      served: [["--port", "4000", "--help"]],
    });
  });

  test.each([
    [["nonsense"]],
    [["token", "creat"]],
    [["replay"]],
    [["replay", "x", "--what"]],
    [["backup", "a", "b"]],
    [[]],
  ])("%j is wrong usage", async (argv) => {
    const { exit, out, err } = await run(argv);
    expect([exit, out]).toEqual([2, ""]);
    expect(err).not.toBe("");
  });

  test("the version and the help are no errors", async () => {
    expect(await run(["--version"])).toMatchObject({ exit: 0, out: "0.1.0\n" });
    expect((await run(["--help"])).exit).toBe(0);
  });

  test("an error is a sentence and a hint, with --json one line as well", async () => {
    const without = await run(["workflow", "pull"]);
    expect(without).toMatchObject({ exit: 2, out: "" });
    expect(without.err).toMatch(/^threadmill: THREADMILL_TOKEN is not set\.\nThe server showed a token/);
    const { exit, out } = await run(["replay", "/nowhere.json", "--json"]);
    expect(exit).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ error: { code: "file_unreadable" } });
    expect(out.trimEnd()).not.toContain("\n");
  });

  test("flags go before the environment; what is wrong in either is told", async () => {
    const env = { THREADMILL_TOKEN: "tm_0123456789abcdef0123456789abcdef", THREADMILL_URL: "http://127.0.0.1:2" };
    const { exit, err } = await run(["doctor", "--url", "http://127.0.0.1:1", "--data-dir", "/nowhere"], env);
    expect([exit, err]).toEqual([1, ""]);
    expect((await run(["doctor", "--url", "nonsense"], env)).err).toMatch(/--url must be an http or https address/);
    expect(await run(["replay", "x", "--speed", "-1"], env)).toMatchObject({
      exit: 2,
      err: "threadmill: --speed must be a number above 0\n",
    });
    expect((await run(["replay", "x", "--parallel", "1.5"], env)).exit).toBe(2);
    expect((await run(["workflow", "push", "x", "--publish", "--draft"], env)).exit).toBe(2);
  });
});

test("bugs are told from what a person can mend", () => {
  expect(explain(new TypeError("x is undefined"))).toMatchObject({
    code: "internal",
    exit: "fault",
    stack: expect.stringContaining("TypeError"),
  });
  expect(explain(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }))).toMatchObject({ exit: "unreachable" });
  expect(explain("odd")).toEqual({ code: "internal", message: "odd", hint: expect.any(String), exit: "fault" });
});

test("the launcher runs the program", async () => {
  const bin = fileURLToPath(new URL("../bin/threadmill.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [bin, "--version"]);
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(stdout.trim()).toBe(version);
});
