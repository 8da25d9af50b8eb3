import { type AddressInfo, createServer as createNetServer } from "node:net";
import { randomUUID } from "node:crypto";
import type { Json } from "@threadmill/core";
import type { FastifyInstance } from "fastify";
import type { Pool } from "pg";
import { bindSecrets } from "./channels/bind-secrets.ts";
import { registry } from "./channels/registry.ts";
import type { Config } from "./config/options.ts";
import { withBoundPort } from "./config/load.ts";
import { createApp } from "./app.ts";
import { type Database, openDatabase } from "./db/open.ts";
import { maintain } from "./db/maintenance.ts";
import { openKysely } from "./db/pool.ts";
import { learnOfGrowth } from "./db/statistics.ts";
import { transaction } from "./db/transaction.ts";
import { createDeliverer } from "./effects/deliver.ts";
import { blankCustomer } from "./effects/erase/erase.ts";
import { watchSubjects } from "./effects/watch.ts";
import { createWorkers } from "./effects/workers.ts";
import { createWithin } from "./features/organization/create.ts";
import type { Tables } from "./features/tables.ts";
import { createFollowing } from "./followers/followers.ts";
import { followers } from "./followers/registry.ts";
import { createJobs } from "./jobs/jobs.ts";
import type { SingleSignOn } from "./identity/engine.ts";
import { pruneSignIn } from "./identity/prune.ts";
import { setupLink } from "./identity/setup.ts";
import { createHints } from "./lanes/hints.ts";
import { createEngine, type Engine } from "./lanes/engine.ts";
import type { JobChange } from "./jobs/news.ts";
import { createAttention } from "./live/attention.ts";
import type { AttentionWord } from "./live/attentions.ts";
import { endedCallers } from "./live/ended.ts";
import { tellOfJobs } from "./live/job-progress.ts";
import { createLive } from "./live/live.ts";
import { createMail } from "./mail/mail.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import { createOutside, type Outside } from "./outside/client.ts";
import { type Clock, systemClock } from "./process/clock.ts";
import { createPresence } from "./presence/presence.ts";
import { within } from "./process/deadline.ts";
import { loop, type Service } from "./process/running.ts";
import { decodeSecretKey } from "./secrets/secret-key.ts";
import { openKeyFile } from "./secrets/key-file.ts";
import { openSecretBox, type SecretBox } from "./secrets/secret-box.ts";

export const version = "0.1.0";

/** What a test or another host may put in the place of the real thing. */
export interface Ports {
  readonly clock: Clock;
  readonly outside: Outside;
  readonly random: () => number;
}

/** A server that runs. */
export interface Server {
  readonly app: FastifyInstance;
  readonly engine: Engine;
  readonly database: Database;
  readonly config: Config;
  /** where it answers */
  readonly url: string;
  /** the first organization's token, when this start made it */
  readonly firstToken: string | null;
  /** by which the first person comes in, as long as nobody can */
  readonly setupLink: string | null;
  /** Settles when the embedded database ended although nobody asked for it. */
  readonly databaseLost: Promise<void>;
  /** Finishes what was admitted, answers the callers, and lets go of everything. */
  stop(): Promise<void>;
}

/** Builds and starts everything: database, engine, workers, HTTP. Throws faults whose sentence is fit for the terminal. */
export async function startServer(given: Config, log: Log, ports: Partial<Ports> = {}): Promise<Server> {
  const { clock = systemClock, random = Math.random } = ports;
  const outside = ports.outside ?? createOutside({ allowed: given.allowPrivateAddresses });
  // before anything is made: a first start that fails on its port must not use up the token that is shown once
  const address = await takeAddress(given.port, given.host);
  const config = withBoundPort(given, address.port);
  let database: Database;
  try {
    database = await openDatabase(config, { info: (text) => log.info(text), warn: (text) => log.warn(text) });
  } catch (error) {
    await address.release();
    throw error;
  }
  const abort = new AbortController();
  try {
    const secretBox = await openSecrets(config, log);
    const unbound = await bindSecrets(database.pool, secretBox, registry);
    if (unbound.length > 0) log.warn({ channels: unbound }, "secrets of channels cannot be opened; give them again");
    const publicUrl = config.publicUrl.replace(/\/$/, "");
    const firstToken = await ensureOrganization(database.pool, config);
    const link = await setupLink(database.pool, publicUrl);
    const metrics = createMetrics({ process: true });
    const engine = createEngine({
      pool: database.lanes,
      waiters: database.waiters,
      background: database.background,
      limits: database.version,
      parallel: database.connections.batches,
      waitingBytes: config.waitingMegabytes * 1024 * 1024,
      patienceMs: config.patienceSeconds * 1000,
      metrics,
      clock,
      log,
    });
    const db = openKysely<Tables>(database.pool);
    const jobs = createJobs({ pool: database.pool, db, engine, clock, random, log });
    const live = createLive({
      pool: database.background,
      engine,
      clock,
      random,
      log,
      metrics,
      ended: (callers) => endedCallers(database.pool, callers),
    });
    const attention = createAttention(live, clock, (word) => pass("attention", { ...word, at: { ...word.at } }));
    const endJobProgress = tellOfJobs({ jobs, live, log, pass: (change) => pass("job", { ...change }) });
    const mail = createMail({ url: config.smtpUrl, from: config.mailFrom, log, clock });
    const app = await createApp({
      engine,
      jobs,
      live,
      attention,
      pool: database.pool,
      db,
      secretBox,
      log,
      metrics,
      clock,
      publicUrl,
      trustedProxies: config.trustedProxies,
      version,
      mail,
      singleSignOn: singleSignOnOf(config),
    });
    const hints = createHints({
      pool: database.pool,
      url: config.databaseDirectUrl ?? database.url,
      clock,
      random,
      log,
      onHint: () => engine.wake(),
      onMarks: (marks) => engine.heard(marks),
      onWord(topic, word) {
        if (topic === "attention") attention.heard(word as unknown as AttentionWord);
        if (topic === "job") jobs.news.tell(word as unknown as JobChange, "elsewhere");
      },
    });
    const pass = (topic: string, word: Json): void => {
      // beside an embedded database there is no other process
      if (database.embedded === null) hints.pass(topic, word);
    };
    engine.onCommit(() => hints.say());
    // beside an embedded database there is no other process
    if (database.embedded === null)
      engine.onLog((marks, from) => {
        if (from === "here") hints.tell(marks);
      });
    const following = { pool: database.background, engine, metrics, clock, random, log };
    const services: Service[] = [
      engine.poller,
      hints,
      maintenance(database.background, config, clock, random, log),
      statistics(database.background, clock, random, log),
      live.service,
      createPresence({ pool: database.background, engine, live, process: randomUUID(), clock, random, log }),
      createFollowing(followers, following),
    ];
    const workers: Service[] = [...jobs.services];
    if (config.effectWorkers > 0) {
      const deliverer = createDeliverer({ pool: database.pool, outside, registry, secretBox, publicUrl });
      const performers = {
        "message.deliver": deliverer,
        "customer.blank": blankCustomer(database.pool, engine),
        "workflow.watch": watchSubjects(engine),
      };
      workers.push(
        createWorkers({
          pool: database.pool,
          engine,
          metrics,
          clock,
          log,
          random,
          performers,
          parallel: config.effectWorkers,
        }),
      );
    }
    await address.release();
    await app.listen({ port: config.port, host: config.host });
    // they stop first: what they would go on claiming and settling keeps the lanes from ever being quiet
    const workersEnd = new AbortController();
    abort.signal.addEventListener("abort", () => workersEnd.abort());
    const running = [
      ...services.map((service) => service.run(abort.signal)),
      ...workers.map((service) => service.run(workersEnd.signal)),
    ];
    let stopping = false;
    const databaseLost = new Promise<void>((resolve) => {
      void database.embedded?.exited.then(() => (stopping ? undefined : resolve()));
    });
    const drain = async (): Promise<void> => {
      // no new connections and no new deliveries; what was admitted is decided and answered; then the rest; then the pools
      live.stop();
      const closed = app.close();
      workersEnd.abort();
      await engine.stop();
      // a connection kept alive by an answer that went out after the close would be waited for until its time-out
      const hangUp = setInterval(() => app.server.closeIdleConnections(), 20);
      await closed.finally(() => clearInterval(hangUp));
      endJobProgress();
      abort.abort();
      await Promise.allSettled(running);
      await engine.stop();
      outside.close();
      mail.close();
      await database.close();
    };
    const stop = once(async () => {
      stopping = true;
      if (await within(config.drainSeconds * 1000, drain())) return;
      log.warn("the time for draining is over; what is left is cut off");
      abort.abort();
      engine.cutOff();
      outside.close();
      mail.close();
      // the answers to those who still waited get a moment to go out
      await clock.sleep(50);
      app.server.closeAllConnections();
      await within(cutOffMs, database.cutOff());
    });
    return { app, engine, database, config, url: config.publicUrl, firstToken, setupLink: link, databaseLost, stop };
  } catch (error) {
    abort.abort();
    await address.release();
    await database.close();
    throw error;
  }
}

/** The provider of single sign-on that the options name. */
function singleSignOnOf({ oidcIssuer, oidcClientId, oidcClientSecret, oidcName }: Config): SingleSignOn | null {
  if (oidcIssuer === undefined || oidcClientId === undefined || oidcClientSecret === undefined) return null;
  return { issuer: oidcIssuer, clientId: oidcClientId, clientSecret: oidcClientSecret, name: oidcName };
}

/** How long closing everything by force may take: the embedded server is stopped in it. */
const cutOffMs = 5000;

/** An address that is ours from now on. */
interface TakenAddress {
  /** the one that was asked for, or with 0 the one that was free */
  readonly port: number;
  /** lets go of it, to listen there */
  release(): Promise<void>;
}

/**
 * Takes the address that the server is to listen on, so that links can name its port before anything is made with them.
 * Who calls before the server listens is turned away. Throws what listening there would throw.
 */
async function takeAddress(port: number, host: string): Promise<TakenAddress> {
  const holder = createNetServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    holder.once("error", reject);
    holder.listen(port, host, resolve);
  });
  return {
    port: (holder.address() as AddressInfo).port,
    release: () => new Promise((resolve) => holder.close(() => resolve())),
  };
}

/** The box that seals secrets: with the key that was given, or one that is made and kept in the data directory. */
async function openSecrets(config: Config, log: Log): Promise<SecretBox> {
  const given = config.secretKey === undefined ? undefined : decodeSecretKey(config.secretKey);
  if (given !== undefined) return openSecretBox(given);
  const file = await openKeyFile(config.dataDir);
  if (file.created) log.info({ path: file.path }, "made a secret key; back it up with the database");
  if (file.exposed) log.warn({ path: file.path }, "other users of this machine can read the secret key");
  return openSecretBox(file.key);
}

/**
 * The first start makes an organization. Two processes that start at once make one: the lock is the transaction's, so
 * that a pooler cannot leave it behind on a session that others go on using.
 */
function ensureOrganization(pool: Pool, config: Config): Promise<string | null> {
  return transaction(pool, async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended('threadmill first organization', 0))");
    const { rows } = await tx.query("select 1 from directory_organizations limit 1");
    if (rows.length > 0) return null;
    const wanted = { name: "Threadmill", ...(config.token !== undefined && { token: config.token }) };
    return (await createWithin(tx, wanted)).token;
  });
}

/** Keeps partitions ahead of time and drops those that are past it, once an hour. */
function maintenance(pool: Pool, config: Config, clock: Clock, random: () => number, log: Log): Service {
  const hourMs = 3_600_000;
  return loop({
    name: "maintenance",
    clock,
    random,
    idleMs: hourMs,
    maxIdleMs: hourMs,
    backoff: { baseMs: 10_000, maxMs: hourMs },
    onError: (error) => log.error({ err: error }, "maintenance failed"),
    async tick() {
      await maintain(pool, config, clock.now());
      await pruneSignIn(pool);
      return 0;
    },
  });
}

/** Looks every few seconds whether tables grew beyond what the database's planner knows of them. */
function statistics(pool: Pool, clock: Clock, random: () => number, log: Log): Service {
  return loop({
    name: "statistics",
    clock,
    random,
    idleMs: 2000,
    maxIdleMs: 10_000,
    backoff: { baseMs: 10_000, maxMs: 60_000 },
    onError: (error) => log.warn({ err: error }, "the database's statistics could not be brought up to date"),
    async tick() {
      await learnOfGrowth(pool);
      // never at once again: a table that is looked at already, by a vacuum say, goes on counting as grown
      return 0;
    },
  });
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= act());
}
