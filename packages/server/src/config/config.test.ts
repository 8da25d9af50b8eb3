import { describe, expect, expectTypeOf, test } from "vitest";
import { everyAddress } from "../outside/ranges.ts";
import { loadConfig, problemLines, withBoundPort } from "./load.ts";
import type { Config } from "./options.ts";
import { optionRows } from "./options.ts";
import { helpText, optionsMarkdown, redactedConfig } from "./pages.ts";

function configOf(env: Record<string, string>, argv: string[] = []): Config {
  const loaded = loadConfig(env, argv);
  if (loaded.kind !== "config") throw new Error(JSON.stringify(loaded));
  return loaded.config;
}

function problemsOf(env: Record<string, string>, argv: string[] = []): string[] {
  const loaded = loadConfig(env, argv);
  return loaded.kind === "invalid" ? problemLines(loaded.problems) : [];
}

describe("the table", () => {
  test("names, variables and flags are unique, and no secret has a flag", () => {
    const rows = optionRows();
    const flags = rows.flatMap(([, { flag }]) => (flag === undefined ? [] : [flag]));
    expect(new Set(rows.map(([, { env }]) => env)).size).toBe(rows.length);
    expect(new Set(flags).size).toBe(flags.length);
    for (const [, option] of rows) expect(option.flag === undefined).toBe(option.secret === true);
  });

  test("every option without a value of its own says what happens instead", () => {
    for (const [, option] of optionRows()) {
      if (option.fallback === undefined || option.derive) expect(option.otherwise).toBeTypeOf("string");
      expect(option.about).toMatch(/\.$/);
    }
  });

  test("types follow from it", () => {
    expectTypeOf<Config["port"]>().toEqualTypeOf<number>();
    expectTypeOf<Config["publicUrl"]>().toEqualTypeOf<string>();
    expectTypeOf<Config["databaseUrl"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Config["trustedProxies"]>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Config["logLevel"]>().toEqualTypeOf<
      "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent"
    >();
  });
});

describe("loading", () => {
  test("nothing given: every default, frozen", () => {
    const config = configOf({});
    expect(config).toEqual({
      port: 3000,
      host: "localhost",
      publicUrl: "http://localhost:3000",
      trustedProxies: [],
      dataDir: "./.threadmill",
      databaseUrl: undefined,
      databaseDirectUrl: undefined,
      databasePoolSize: 24,
      waitingMegabytes: 48,
      patienceSeconds: 20,
      drainSeconds: 20,
      token: undefined,
      url: "http://localhost:3000",
      secretKey: undefined,
      smtpUrl: undefined,
      mailFrom: "Threadmill <threadmill@localhost>",
      oidcIssuer: undefined,
      oidcClientId: undefined,
      oidcClientSecret: undefined,
      oidcName: "Single sign-on",
      logLevel: "info",
      eventsDays: 400,
      runsDays: 30,
      effectWorkers: 64,
      allowPrivateAddresses: [],
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.trustedProxies)).toBe(true);
  });

  test("a flag goes before the environment, in both spellings; empty variables count as not given", () => {
    const config = configOf({ PORT: "4000", THREADMILL_HOST: " ", THREADMILL_LOG_LEVEL: "warn" }, [
      "--port=5000",
      "--log-level",
      "debug",
    ]);
    expect(config).toMatchObject({
      port: 5000,
      host: "localhost",
      logLevel: "debug",
      publicUrl: "http://localhost:5000",
    });
  });

  test("single sign-on needs all its parts, a mail server an address of one", () => {
    const given = (env: Record<string, string>) => {
      const loaded = loadConfig(env, []);
      return loaded.kind === "invalid" ? loaded.problems.map(({ given: name }) => name) : [];
    };
    const issuer = { THREADMILL_OIDC_ISSUER: "https://id.example.com" };
    expect(given(issuer)).toEqual(["THREADMILL_OIDC_ISSUER"]);
    expect(given({ ...issuer, THREADMILL_OIDC_CLIENT_ID: "x", THREADMILL_OIDC_CLIENT_SECRET: "y" })).toEqual([]);
    expect(given({ THREADMILL_SMTP_URL: "mail.example.com" })).toEqual(["THREADMILL_SMTP_URL"]);
    expect(given({ THREADMILL_SMTP_URL: "smtps://u:p@mail.example.com" })).toEqual([]);
  });

  test("values are read", () => {
    const config = configOf({
      THREADMILL_PUBLIC_URL: "https://Desk.Example.com/chat/",
      THREADMILL_TRUSTED_PROXIES: "10.0.0.0/8, ::1,fd00::/8",
      DATABASE_URL: "postgres://u:p@db/threadmill",
      DATABASE_DIRECT_URL: "postgresql://u:p@db:5433/threadmill",
      THREADMILL_TOKEN: "tm_0123456789012345678901234567",
      THREADMILL_SECRET_KEY: "00".repeat(32),
    });
    expect(config.publicUrl).toBe("https://desk.example.com/chat");
    expect(config.trustedProxies).toEqual(["10.0.0.0/8", "::1", "fd00::/8"]);
    expect(config.databaseDirectUrl).toBe("postgresql://u:p@db:5433/threadmill");
  });

  test.each([
    ["no", []],
    ["0", []],
    ["YES", everyAddress],
    ["true", everyAddress],
    ["10.1.0.0/16, ::1", ["10.1.0.0/16", "::1"]],
  ])("private addresses: %s", (text, ranges) => {
    expect(configOf({ THREADMILL_ALLOW_PRIVATE_ADDRESSES: text }).allowPrivateAddresses).toEqual(ranges);
    expect(problemsOf({ THREADMILL_ALLOW_PRIVATE_ADDRESSES: `${text}!` })).toHaveLength(1);
  });

  test("all problems come together, with names and without values", () => {
    const problems = problemsOf(
      {
        PORT: "http",
        THREADMILL_PUBLIC_URL: "https://me:hunter2@example.com",
        THREADMILL_TRUSTED_PROXIES: "10.0.0.0/33",
        DATABASE_URL: "mysql://root:hunter2@db",
        THREADMILL_TOKEN: "hunter2",
        THREADMILL_SECRET_KEY: "hunter2",
        THREADMILL_LOG_LEVEL: "loud",
        THREADMILL_HOST: "a\u0000b",
      },
      ["--runs-days", "0", "--events-days", "hunter2"],
    );
    expect(problems.map((line) => line.split(" ")[0])).toEqual([
      "PORT",
      "THREADMILL_HOST",
      "THREADMILL_PUBLIC_URL",
      "THREADMILL_TRUSTED_PROXIES",
      "DATABASE_URL",
      "THREADMILL_TOKEN",
      "THREADMILL_SECRET_KEY",
      "THREADMILL_LOG_LEVEL",
      "--events-days",
      "--runs-days",
    ]);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  test.each([
    [["start"], "Argument 1 is not an option; see --help"],
    [["--prot", "1"], "--prot is not an option; see --help"],
    [["--port"], "--port needs a value"],
    [["--port", "--host"], "--port needs a value"],
    [["--port="], "--port needs a value"],
    [["--port", "1", "--port=2"], "--port is given twice"],
    [
      ["--database-url=postgres://u:hunter2@db"],
      "--database-url cannot be given here, where others could read it; set DATABASE_URL",
    ],
    [["--token", "hunter2"], "--token cannot be given here, where others could read it; set THREADMILL_TOKEN"],
  ])("%j is a problem", (argv, problem) => {
    const problems = problemsOf({}, argv);
    expect(problems).toContain(problem);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  test.each([
    "ftp://example.com",
    "https://example.com/?a=1",
    "https://example.com#x",
    "example.com",
    "https://u@example.com",
  ])("%s is no public URL", (publicUrl) => {
    expect(problemsOf({ THREADMILL_PUBLIC_URL: publicUrl })).toHaveLength(1);
  });

  test.each(["10.0.0.0/8/8", "10.0.0", "::/129", "10.0.0.0/", "fe80::1%eth0", "10.0.0.1,,10.0.0.2", "loopback"])(
    "%s is no list of ranges",
    (ranges) => {
      expect(problemsOf({ THREADMILL_TRUSTED_PROXIES: ranges })).toHaveLength(1);
    },
  );

  test("a direct URL alone is a problem; beside a wrong DATABASE_URL it is not a second one", () => {
    expect(problemsOf({ DATABASE_DIRECT_URL: "postgres://db" })).toEqual([
      "DATABASE_DIRECT_URL needs DATABASE_URL beside it",
    ]);
    expect(problemsOf({ DATABASE_DIRECT_URL: "postgres://db", DATABASE_URL: "x" })).toHaveLength(1);
  });

  test("an unknown variable of ours is a warning", () => {
    expect(loadConfig({ THREADMILL_DATADIR: "/data", OTHER: "1" }, [])).toMatchObject({
      kind: "config",
      warnings: ["THREADMILL_DATADIR is set, but there is no such option"],
    });
  });

  test("--help asks for help, whatever else is wrong", () => {
    expect(loadConfig({ PORT: "x" }, ["--port", "-h"])).toEqual({ kind: "help" });
    expect(loadConfig({}, ["--help"])).toEqual({ kind: "help" });
  });
});

test("a bound port moves what was derived from it, and nothing that was given", () => {
  const bound = withBoundPort(configOf({ PORT: "0", THREADMILL_URL: "http://elsewhere:1" }), 41_234);
  expect(bound).toMatchObject({ port: 41_234, publicUrl: "http://localhost:41234", url: "http://elsewhere:1" });
  expect(Object.isFrozen(bound)).toBe(true);
});

describe("pages", () => {
  test("help names every option and stays in its width", () => {
    const help = helpText("threadmill start [options]");
    for (const [, option] of optionRows()) {
      expect(help).toContain(option.env);
      if (option.flag !== undefined) expect(help).toContain(`--${option.flag} <`);
    }
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("docs/options.md is in step (update it with vitest -u)", async () => {
    await expect(optionsMarkdown()).toMatchFileSnapshot("../../../../docs/options.md");
  });

  test("a redacted configuration tells which secrets are set and none of them", () => {
    const config = configOf({ DATABASE_URL: "postgres://u:hunter2@db/x", THREADMILL_SECRET_KEY: "ab".repeat(32) });
    const shown = redactedConfig(config);
    expect(shown).toMatchObject({ databaseUrl: "[set]", secretKey: "[set]", token: "[not set]", port: 3000 });
    expect(JSON.stringify(shown)).not.toMatch(/hunter2|abab/);
    expect(Object.keys(shown)).toEqual(Object.keys(config));
  });
});
