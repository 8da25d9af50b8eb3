import type { Server } from "@threadmill/server";
import { median, numberArgument, round } from "./figures.ts";
import { nodeSeconds, postgresSeconds } from "./processes.ts";
import { makeTenants, message, startWhole, temporaryDataDir, type Tenant, type Third } from "./installation.ts";

const warmUps = 1;
const rounds = 3;

/** One setting of the measurement. */
export interface Setting {
  readonly name: string;
  readonly lanes: number;
  readonly third: Third;
  /** messages a round */
  readonly messages: number;
  /** messages under way at once */
  readonly parallel: number;
}

/** What a setting came to. */
export interface Measured {
  /** of the timed rounds */
  readonly runsPerSecond: readonly number[];
  readonly commitsPerRun: number;
  readonly walBytesPerRun: number;
  /** microseconds of processor a run, in the timed rounds; PostgreSQL's is known on Linux alone */
  readonly nodeUsPerRun: number;
  readonly postgresUsPerRun: number | null;
}

/**
 * Durable three-step runs a second at saturation, in process: messages from new customers, each of which starts a run of
 * three steps; a message counts once its batch is committed. The median of three rounds after a warm-up, on a fresh
 * database a setting.
 */
export async function throughput(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const messages = numberArgument(argv, "messages") ?? 20_000;
  const parallel = numberArgument(argv, "parallel") ?? 2000;
  const measure = async (name: string, lanes: number, third: Third): Promise<Measured> => {
    const measured = await measureSetting({ name, lanes, third, messages, parallel }, say);
    say(
      `${name}: ${measured.runsPerSecond.map((each) => round(each)).join(", ")} runs/s, ${round(measured.commitsPerRun, 4)} commits and ${round(measured.walBytesPerRun)} bytes of WAL a run, ${processorOf(measured)}`,
    );
    return measured;
  };
  const many = await measure("sixteen lanes", 16, "assign");
  const one = await measure("one lane", 1, "assign");
  const reply = await measure("with reply, sixteen lanes", 16, "reply");
  return {
    threadmill: round(median(many.runsPerSecond)),
    oneLane: round(median(one.runsPerSecond)),
    commitsPerRun: round(many.commitsPerRun, 4),
    walBytesPerRun: round(many.walBytesPerRun),
    withReply: round(median(reply.runsPerSecond)),
    rounds: {
      threadmill: many.runsPerSecond.map((each) => round(each)),
      oneLane: one.runsPerSecond.map((each) => round(each)),
      withReply: reply.runsPerSecond.map((each) => round(each)),
    },
  };
}

/** Runs a second of one round of sixteen lanes: what the other measurements take their rate from. */
export async function quickThroughput(messages = 10_000): Promise<number> {
  const { runsPerSecond } = await measureSetting(
    { name: "quick", lanes: 16, third: "assign", messages, parallel: 2000 },
    () => {},
    1,
  );
  return median(runsPerSecond);
}

/** A run's processor time in words. */
export const processorOf = ({ nodeUsPerRun, postgresUsPerRun }: Measured): string =>
  `${round(nodeUsPerRun)} us of Node and ${postgresUsPerRun === null ? "unknown" : round(postgresUsPerRun)} us of PostgreSQL`;

/** Measures one setting on a fresh database: a round to warm up, then the timed ones. Throws when a run is not whole. */
export async function measureSetting(setting: Setting, say: (text: string) => void, timed = rounds): Promise<Measured> {
  const dir = await temporaryDataDir();
  const server = await startWhole(dir.path);
  try {
    const tenants = await makeTenants(server, setting.lanes, setting.third);
    const before = await databaseWork(server);
    const runsPerSecond: number[] = [];
    let processors = { node: nodeSeconds(), postgres: postgresSeconds() };
    for (let round = 0; round < warmUps + timed; round += 1) {
      if (round === warmUps) processors = { node: nodeSeconds(), postgres: postgresSeconds() };
      const seconds = await playRound(server, tenants, setting, round * setting.messages);
      if (round >= warmUps) runsPerSecond.push(setting.messages / seconds);
    }
    const used = { node: nodeSeconds(), postgres: postgresSeconds() };
    const timedRuns = timed * setting.messages;
    const runs = (warmUps + timed) * setting.messages;
    await checkRuns(server, runs, setting.third);
    const after = await databaseWork(server);
    return {
      runsPerSecond,
      commitsPerRun: (after.commits - before.commits) / runs,
      walBytesPerRun: (after.walBytes - before.walBytes) / runs,
      nodeUsPerRun: ((used.node - processors.node) / timedRuns) * 1e6,
      postgresUsPerRun:
        used.postgres === null || processors.postgres === null
          ? null
          : ((used.postgres - processors.postgres) / timedRuns) * 1e6,
    };
  } catch (error) {
    say(`${setting.name} failed`);
    throw error;
  } finally {
    await server.stop();
    await dir.remove();
  }
}

/** Sends a round's messages, so many at once, and gives the seconds until all is done: with a reply also its delivery. */
async function playRound(
  { engine, database }: Server,
  tenants: readonly Tenant[],
  { messages, parallel, third }: Setting,
  first: number,
): Promise<number> {
  let next = first;
  const end = first + messages;
  const sendUntilEnd = async (): Promise<void> => {
    while (next < end) {
      const n = next;
      next += 1;
      const { id, lane, channel } = tenants[n % tenants.length] as Tenant;
      const { answer, cut } = await engine.submit({
        place: { lane, organization: id },
        type: "message.receive",
        actor: { kind: "channel", id: channel },
        input: { channel, ...message(n) },
      });
      if (!answer.ok || cut) throw new Error(`Message ${n} was not carried out whole: ${JSON.stringify(answer)}`);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: parallel }, sendUntilEnd));
  if (third === "reply") await drained(database.pool);
  return (performance.now() - started) / 1000;
}

/** Until no effect is due: every message was handed over, and its outcome is in the log. */
async function drained(pool: Server["database"]["pool"]): Promise<void> {
  for (;;) {
    const { rows } = await pool.query("select 1 from effects limit 1");
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A figure counts only if every run took its three steps, and every reply was recorded once. */
async function checkRuns({ database }: Server, runs: number, third: Third): Promise<void> {
  const { rows } = await database.pool.query<{ runs: number; delivered: number }>(
    `select (select count(*) from runs_history where status = 'finished' and json_array_length(steps) = 3) as runs,
       (select count(*) from recorded_deliveries) as delivered`,
  );
  const { runs: found, delivered } = rows[0] as { runs: number; delivered: number };
  if (found !== runs || (third === "reply" && delivered !== runs))
    throw new Error(`Expected ${runs} runs of three steps, found ${found}, and ${delivered} deliveries`);
}

/**
 * Commits and bytes of write-ahead log so far. The log's end is exact at once. Commits are counted by each session and
 * told to the others at times, so the sessions of the lanes are asked to tell first.
 */
async function databaseWork({ database }: Server): Promise<{ commits: number; walBytes: number }> {
  for (const pool of [database.pool, database.lanes]) {
    const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
    for (const client of clients) {
      await client.query("select pg_stat_force_next_flush()");
      client.release();
    }
  }
  const { rows } = await database.pool.query<{ commits: number; wal: string }>(
    `select xact_commit as commits, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as wal from pg_stat_database where datname = current_database()`,
  );
  const { commits, wal } = rows[0] as { commits: number; wal: string };
  return { commits, walBytes: Number(wal) };
}
