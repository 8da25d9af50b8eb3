import { isIPv6 } from "node:net";
import type { Pool, PoolClient } from "pg";
import { transaction } from "../db/transaction.ts";
import { hashToken } from "../secrets/token.ts";

/** How often something may fail at once, and how long it waits after each failure beyond that: 8 seconds, doubled up to the most. */
interface Patience {
  readonly free: number;
  readonly mostSeconds: number;
}

/**
 * What is counted, and how patiently. Guessing comes to a crawl by account, by address, and by both together. A browser in
 * which the person has signed in before is counted by itself alone: no stranger, however many addresses they have, can hold
 * it up. A person in a new browser, while strangers guess, asks for a link to reset the password; that makes it a known one.
 */
const patience = {
  pair: { free: 5, mostSeconds: 900 },
  account: { free: 20, mostSeconds: 300 },
  address: { free: 100, mostSeconds: 300 },
  device: { free: 10, mostSeconds: 300 },
  link: { free: 3, mostSeconds: 3600 },
} as const satisfies Record<string, Patience>;

/** After so long without a failure all are forgotten. */
const forgetSeconds = 3600;

/** Something that is counted: of which kind, and which one. */
export interface Counted {
  readonly kind: keyof typeof patience;
  readonly of: string;
}

/** What counts when somebody says who they are: an account, from an address, in a browser that is known or not. */
export function countedFor(account: string, address: string, device: string | null): Counted[] {
  const from = networkOf(address);
  if (device !== null) return [{ kind: "device", of: `${device} ${account}` }];
  return [
    { kind: "pair", of: `${from} ${account}` },
    { kind: "account", of: account },
    { kind: "address", of: from },
  ];
}

/** Whoever has one address of IPv6 has 2^64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

const keyOf = ({ kind, of }: Counted): string => hashToken(`${kind} ${of}`);

/** How many seconds a failure beyond the free ones costs. */
export function waitAfter(failures: number, { free, mostSeconds }: Patience): number {
  return failures < free ? 0 : Math.min(mostSeconds, 8 * 2 ** Math.min(20, failures - free));
}

/** Counts tries in the database, for all processes together. */
export interface Attempts {
  /**
   * Begins a try: 0, or in how many seconds there may be one again. It counts as failed from now on, so that no number of
   * tries at once is more than one after the other.
   */
  begin(counted: readonly Counted[]): Promise<number>;
  /** The try came off after all. */
  succeeded(counted: readonly Counted[]): Promise<void>;
}

/** Makes the counter. */
export function createAttempts(pool: Pool): Attempts {
  return {
    begin: (counted) => transaction(pool, (tx) => begin(tx, counted)),
    async succeeded(counted) {
      await pool.query(
        `update directory_attempts set failures = case when key = $2 then 0 else greatest(0, failures - 1) end, blocked_until = null
where key = any($1)`,
        // the person and the browser are who they said; what strangers did to the account and the address stays
        [counted.map(keyOf), counted[0] === undefined ? null : keyOf(counted[0])],
      );
    },
  };
}

async function begin(tx: PoolClient, counted: readonly Counted[]): Promise<number> {
  const kinds = new Map(counted.map((one) => [keyOf(one), patience[one.kind]] as const));
  const keys = [...kinds.keys()].sort();
  await tx.query(
    "insert into directory_attempts (key) select key from unnest($1::text[]) as key order by key on conflict do nothing",
    [keys],
  );
  const { rows } = await tx.query<{ key: string; failures: number; wait: number }>(
    `select key, case when last_at < now() - make_interval(secs => $2) then 0 else failures end as failures,
  greatest(0, ceil(extract(epoch from blocked_until - clock_timestamp())))::int as wait
from directory_attempts where key = any($1) order by key for update`,
    [keys, forgetSeconds],
  );
  const wait = Math.max(0, ...rows.map((row) => row.wait ?? 0));
  if (wait > 0) return wait;
  const now = rows.map(({ key, failures }) => {
    const count = failures + 1;
    return { key, count, wait: waitAfter(count, kinds.get(key) as Patience) };
  });
  await tx.query(
    `update directory_attempts a set failures = n.count, last_at = clock_timestamp(),
  blocked_until = case when n.wait > 0 then clock_timestamp() + make_interval(secs => n.wait) end
from unnest($1::text[], $2::int[], $3::int[]) as n (key, count, wait) where a.key = n.key`,
    [now.map((one) => one.key), now.map((one) => one.count), now.map((one) => one.wait)],
  );
  return 0;
}
