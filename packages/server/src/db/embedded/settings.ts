import { statfsSync } from "node:fs";
import { totalmem } from "node:os";

const MB = 1024 * 1024;

/** What the settings depend on. */
export interface Machine {
  readonly memoryBytes: number;
  readonly freeDiskBytes: number;
  readonly platform: NodeJS.Platform;
}

/** Looks at the machine, or at the container's share of it. */
export function inspectMachine(dir: string): Machine {
  const limit = process.constrainedMemory();
  const disk = statfsSync(dir);
  return {
    // without a limit Node reports 0 or a number beyond all memory
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    freeDiskBytes: disk.bavail * disk.bsize,
    platform: process.platform,
  };
}

const clampMb = (bytes: number, low: number, high: number) => Math.round(Math.min(Math.max(bytes / MB, low), high));

/**
 * The server's settings for one small machine that it shares with the engine loop, as the text of a configuration file
 * that is written anew at each start. An operator's own settings go into `local.conf` beside it, which has the last word.
 */
export function serverSettings(machine: Machine, port: number): string {
  return (
    [...settings(machine, port)].map(([name, value]) => `${name} = '${value}'\n`).join("") +
    "include_if_exists = 'local.conf'\n"
  );
}

function settings(machine: Machine, port: number): Map<string, string | number> {
  const maxWalMb = clampMb(machine.freeDiskBytes / 10, 256, 4096);
  return new Map<string, string | number>([
    ["listen_addresses", "127.0.0.1"],
    ["port", port],
    // TCP alone: a socket's path is limited to 107 bytes, and its folder would have to suit two accounts
    ["unix_socket_directories", ""],
    ["max_connections", 100],
    // a restore makes every partition and index in one transaction
    ["max_locks_per_transaction", 256],
    ["timezone", "UTC"],
    ["log_timezone", "UTC"],

    // Durability is what the answers to callers rest on: these are the defaults, written down so that nobody wonders.
    ["fsync", "on"],
    ["synchronous_commit", "on"],
    ["full_page_writes", "on"],
    // elsewhere the default reaches the disk; on macOS it stops at the drive's cache
    ...(machine.platform === "darwin" ? ([["wal_sync_method", "fsync_writethrough"]] as const) : []),

    // Full page images come after each checkpoint, so checkpoints are rare and spread out. Recovery replays at most
    // max_wal_size, some seconds. On a small disk a tenth of what is free.
    ["max_wal_size", `${maxWalMb}MB`],
    ["min_wal_size", `${Math.min(maxWalMb / 2, 512) | 0}MB`],
    ["checkpoint_timeout", "15min"],
    ["checkpoint_completion_target", 0.9],
    // These binaries know pglz only (no lz4, no zstd), which takes more of two cores than the disk gains from it.
    ["wal_compression", "off"],
    // Nobody can replicate from this server (that is what DATABASE_URL is for), so it writes no log for it; a restore
    // into tables of its own transaction then writes hardly any.
    ["wal_level", "minimal"],
    ["max_wal_senders", 0],

    // Node, the engine's working set and the page cache live here too: an eighth, not the usual quarter.
    ["shared_buffers", `${clampMb(machine.memoryBytes / 8, 64, 2048)}MB`],
    ["effective_cache_size", `${clampMb(machine.memoryBytes / 2, 128, 65536)}MB`],
    ["work_mem", `${clampMb(machine.memoryBytes / 256, 4, 16)}MB`],
    ["maintenance_work_mem", `${clampMb(machine.memoryBytes / 32, 16, 256)}MB`],

    // Hot statements are short: compiling them or sharing them among workers costs more than they do, and a long
    // report must not take both cores from the lanes.
    ["jit", "off"],
    ["max_parallel_workers_per_gather", 0],
    ["random_page_cost", 1.1],

    // Conversations, runs and timers are updated all day: clean early and often in small pieces, with two workers at
    // most, fast enough to keep up with thousands of messages a second.
    ["autovacuum_max_workers", 2],
    ["autovacuum_naptime", "15s"],
    ["autovacuum_vacuum_scale_factor", 0.05],
    ["autovacuum_analyze_scale_factor", 0.05],
    ["autovacuum_vacuum_cost_limit", 1000],

    ["log_destination", "stderr"],
    ["logging_collector", "off"],
    ["log_line_prefix", "%m [%p] "],
    // a DETAIL line quotes rows, a logged statement its literals: customers' data, which no erasure would reach
    ["log_error_verbosity", "terse"],
    ["log_min_error_statement", "panic"],
  ]);
}
