import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { coreCoverage, projects } from "./.ci/settings.ts";

/** Starts the PostgreSQL that the server's tests share. */
const serverSetup = "packages/server/src/testing/global-setup.ts";

/** The server's tests talk to a real PostgreSQL: separate processes, and no more of them than a small machine bears. */
const server = {
  pool: "forks" as const,
  maxWorkers: 2,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  globalSetup: existsSync(serverSetup) ? [serverSetup] : [],
};

export default defineConfig({
  test: {
    coverage: {
      provider: "v8",
      include: ["packages/core/src/**/*.ts"],
      exclude: ["**/*.test.ts", "packages/core/src/testing/**"],
      reporter: ["text-summary", "json-summary", "html"],
      reportOnFailure: true,
      thresholds: { ...coreCoverage },
    },
    projects: projects.map((name, groupOrder) => ({
      test: {
        name,
        include: name === "ci" ? [".ci/**/*.test.ts"] : [`packages/${name}/src/**/*.test.ts`],
        environment: "node",
        // A property takes its time where others keep the machine busy.
        testTimeout: 30_000,
        // Projects with worker limits of their own run one after the other.
        sequence: { groupOrder },
        ...(name === "server" ? server : {}),
      },
    })),
  },
});
