import { judgeVersion, migrationsFolder, readMigrations } from "@threadmill/server";
import { type Finding, finder, inLine, type Patient } from "./check.ts";

/** For commands such as backup, and for whoever looks at the database by hand. */
const othersConnections = 5;
const skewWarnMs = 1000;
const skewFailMs = 60_000;

/** What there is to say of the database: that it answers, its version, its room, its clock and its schema. */
export async function checkDatabase({ config, pool, nowMs }: Patient): Promise<Finding[]> {
  const { warn, fail } = finder("database");
  if (pool === null) return [warn("The embedded database does not run, as no server does; start one to check it")];
  const sent = nowMs();
  const answer = await pool
    .query<{ version: string; text: string; room: number; now: string }>(
      `select current_setting('server_version_num') as version, current_setting('server_version') as text,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as room,
  clock_timestamp() as now`,
    )
    .catch((error: unknown) => ({ error }));
  if ("error" in answer) return [fail(`cannot be reached: ${inLine(answer.error)}`)];
  const { version, text, room, now } = answer.rows[0] as (typeof answer.rows)[number];
  const findings = [checkVersion(Number(version), text), checkRoom(room, config.databasePoolSize)];
  findings.push(checkClock(Date.parse(now) - (sent + nowMs()) / 2));
  findings.push(await checkSchema(pool));
  return findings;
}

function checkVersion(version: number, text: string): Finding {
  const { ok, fail } = finder("database");
  try {
    judgeVersion(version, text);
    return ok(`PostgreSQL ${text}`);
  } catch (error) {
    return fail(inLine(error));
  }
}

/** Whether the server has room for what one process opens. */
function checkRoom(room: number, wanted: number): Finding {
  const { ok, warn } = finder("connections");
  return room >= wanted + othersConnections
    ? ok(`${room}, of which one process opens ${wanted}`)
    : warn(
        `the server allows ${room}, but one process opens ${wanted} and commands a few more; ` +
          "raise max_connections or lower THREADMILL_DATABASE_POOL_SIZE",
      );
}

function checkClock(skewMs: number): Finding {
  const { ok, warn, fail } = finder("clock");
  const off = Math.abs(skewMs);
  const message =
    off < skewWarnMs
      ? "this machine's and the database's agree"
      : `the database is ${Math.round(off / 1000)} s ${skewMs > 0 ? "ahead of" : "behind"} this machine`;
  if (off >= skewFailMs) return fail(message);
  return off >= skewWarnMs ? warn(message) : ok(message);
}

async function checkSchema(pool: NonNullable<Patient["pool"]>): Promise<Finding> {
  const { ok, warn, fail } = finder("schema");
  const newest = (await readMigrations(migrationsFolder)).at(-1)?.name ?? "";
  const { rows } = await pool.query<{ there: boolean }>("select to_regclass('schema_migrations') is not null as there");
  if (rows[0]?.there !== true) return warn("the database is empty; the first start makes the schema");
  const applied = await pool.query<{ name: string }>(
    `select name from schema_migrations order by name collate "C" desc limit 1`,
  );
  const version = applied.rows[0]?.name ?? "";
  if (version === newest) return ok(version);
  if (version > newest) return fail(`${version} is newer than this program, which knows ${newest}`);
  return warn(`${version || "none"}; the next start brings it to ${newest}`);
}
