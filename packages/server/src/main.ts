import { helpText, redactedConfig } from "./config/pages.ts";
import { loadConfig, problemLines } from "./config/load.ts";
import { createLog } from "./observe/log.ts";
import { exitCode, type ExitName } from "./process/exit-codes.ts";
import { installShutdown } from "./process/shutdown.ts";
import { type Server, startServer } from "./server.ts";

/** Starts a server as this process: what `npm start` and `threadmill start` do. */
export async function main(argv: readonly string[]): Promise<void> {
  const loaded = loadConfig(process.env, argv);
  if (loaded.kind === "help") {
    process.stdout.write(`${helpText("threadmill start [options]")}\n`);
    return;
  }
  if (loaded.kind === "invalid") {
    process.stderr.write(`${problemLines(loaded.problems).join("\n")}\n`);
    process.exitCode = exitCode("usage");
    return;
  }
  const { config, warnings } = loaded;
  const log = createLog({ level: config.logLevel });
  for (const warning of warnings) log.warn(warning);
  log.debug({ config: redactedConfig(config) }, "configuration");
  try {
    const server = await startServer(config, log);
    // before the first word of running: whoever reads it may ask us to stop at once
    installShutdown({
      onStop: async (signal) => {
        log.info({ signal }, "stopping: finishing what was admitted");
        await server.stop();
      },
      onError: (error) => log.error({ err: error }, "stopping failed"),
      target: process,
      monotonicMs: () => performance.now(),
    });
    process.on("exit", () => server.database.embedded?.stopNow());
    void server.databaseLost.then(() => {
      log.fatal("the embedded PostgreSQL ended by itself; see postgres.log in the data directory");
      process.exit(exitCode("fault"));
    });
    announce(server, config.token !== undefined);
  } catch (error) {
    const { sentence, exit } = explainFault(error);
    if (exit === "fault") log.fatal({ err: error }, "could not start");
    process.stderr.write(`threadmill: ${sentence}\n`);
    process.exitCode = exitCode(exit);
  }
}

/** For people at a terminal; the logs stay JSON lines. */
function announce({ url, firstToken: token, setupLink }: Server, preset: boolean): void {
  const lines = [`Threadmill runs at ${url}`];
  if (token !== null && !preset) lines.push(`API token of the first organization (shown once): ${token}`);
  if (token !== null && preset) lines.push("The first organization has the token of THREADMILL_TOKEN.");
  if (setupLink !== null) lines.push(`Nobody can sign in yet. Open this link to set up the owner: ${setupLink}`);
  process.stdout.write(`\n  ${lines.join("\n  ")}\n\n`);
}

const exits: Readonly<Record<string, ExitName>> = {
  EADDRINUSE: "in_use",
  EACCES: "usage",
  EADDRNOTAVAIL: "usage",
  data_dir_in_use: "in_use",
  schema_newer: "schema_newer",
  postgres_too_old: "usage",
  ECONNREFUSED: "unreachable",
  ENOTFOUND: "unreachable",
  ETIMEDOUT: "unreachable",
  EHOSTUNREACH: "unreachable",
  EAI_AGAIN: "unreachable",
  "28P01": "unreachable",
  "28000": "unreachable",
  "3D000": "unreachable",
};

/** One clear sentence for a fault at start, and the exit code it ends with. */
export function explainFault(error: unknown): { readonly sentence: string; readonly exit: ExitName } {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // pg gives an attempt to connect that came to its limit no code
  const silent = /timeout (?:expired|exceeded)|due to connection timeout/.test(message);
  const exit = silent ? "unreachable" : code === null ? "fault" : (exits[code] ?? "fault");
  if (code === "EADDRINUSE") {
    const { port } = error as { port?: number };
    return { sentence: `Port ${port ?? ""} is in use by another process; stop it, or set PORT to another.`, exit };
  }
  if (code === "EADDRNOTAVAIL" || code === "EACCES") {
    return {
      sentence: `That address cannot be used (${code}): ${message}. Check PORT, THREADMILL_HOST and THREADMILL_DATA_DIR.`,
      exit,
    };
  }
  if (exit === "unreachable")
    return {
      sentence: `The database cannot be reached (${silent ? "no answer" : code}): ${message || "no answer"}. Check DATABASE_URL.`,
      exit,
    };
  return { sentence: message, exit };
}

function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === "string") return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : null;
}

if (import.meta.main) await main(process.argv.slice(2));
