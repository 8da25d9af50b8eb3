import type { PoolClient } from "pg";
import { refuse, type Refusal } from "@threadmill/core";
import type { ScopedKey } from "../../http/idempotency.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Call, Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { type ChangeSettings, isRefusal, type SettingsChanged } from "../../lanes/settings.ts";

/**
 * Changes settings for a request. A repeat with the same idempotency key gets the first answer, be it a yes, a no or that
 * there is nothing to change, and changes nothing, whatever would be answered to it by now.
 */
export type Change = <T extends object>(call: Call, fn: ChangeSettings<T>) => Promise<T | Refused>;

/** Ends the transaction with an answer that needs no change. */
export class NothingToChange<T extends object> extends Error {
  readonly result: T;
  constructor(result: T) {
    super("Nothing is to be changed");
    this.result = result;
  }
}

/** An answer given before under the same key. */
class Repeated extends NothingToChange<object> {}

const keepHours = 48;

/** Makes the one way by which a request changes settings. */
export function settingsChanger({ engine, secretBox }: Pick<AppPorts, "engine" | "secretBox">): Change {
  const box = secretBox.of("answers");
  const context = ({ organization }: Place, key: string) => [organization, "idempotency_keys", key];

  /** Asked with the lane held, as the mill asks for a command's receipt: no two processes can both find none. */
  async function repeatOf(tx: PoolClient, place: Place, scoped: ScopedKey): Promise<Refusal | null> {
    const { rows } = await tx.query<{ fingerprint: string; answer: string }>(
      "select fingerprint, answer from idempotency_keys where lane = $1 and organization = $2 and key = $3",
      [place.lane, place.organization, scoped.key],
    );
    const [row] = rows;
    if (row === undefined) return null;
    if (row.fingerprint !== scoped.fingerprint)
      return refuse("invalid", "idempotency_key_reused", "The key was used for another request");
    const { key, fingerprint } = scoped;
    const opened = [key, key + fingerprint] // what was sealed before the two were apart has both for its key
      .map((each) => box.open(row.answer, context(place, each)))
      .reduce((first, second) => (first.ok ? first : second));
    if (!opened.ok) throw new Error(`The kept answer cannot be opened: ${opened.code}`);
    throw new Repeated(JSON.parse(opened.text) as object);
  }

  async function keep(tx: PoolClient, place: Place, scoped: ScopedKey, result: object, at: string): Promise<void> {
    const { lane, organization } = place;
    const sealed = box.seal(JSON.stringify(result), context(place, scoped.key));
    await tx.query(
      "insert into idempotency_keys (lane, organization, key, fingerprint, answer, at) values ($1, $2, $3, $4, $5, $6)",
      [lane, organization, scoped.key, scoped.fingerprint, sealed, at],
    );
    await tx.query(
      "delete from idempotency_keys where lane = $1 and organization = $2 and at < $3::timestamptz - make_interval(hours => $4)",
      [lane, organization, at, keepHours],
    );
  }

  return async <T extends object>(call: Call, fn: ChangeSettings<T>) => {
    const { key, place, actor } = call;
    try {
      const answer = await engine.changeSettings<T>(place, actor, async (tx, at) => {
        if (key === null) return fn(tx, at);
        const reused = await repeatOf(tx, place, key);
        if (reused !== null) return reused;
        await tx.query("savepoint change");
        const change = await outcomeOf(fn(tx, at));
        // what it wrote before it said no goes, the answer stays
        if ("unchanged" in change) await tx.query("rollback to savepoint change");
        await keep(tx, place, key, "unchanged" in change ? change.unchanged : change.result, at);
        return change;
      });
      return answer.ok ? answer.result : answer;
    } catch (error) {
      if (!(error instanceof NothingToChange)) throw error;
      if (error instanceof Repeated) void call.reply.header("idempotency-replayed", "true");
      return error.result as T;
    }
  };
}

/** What a change came to; a refusal, and that there is nothing to change, leave the settings as they are. */
async function outcomeOf<T extends object>(
  changing: ReturnType<ChangeSettings<T>>,
): Promise<SettingsChanged<T> | { readonly unchanged: T | Refusal }> {
  try {
    const change = await changing;
    return isRefusal(change) ? { unchanged: change } : change;
  } catch (error) {
    if (error instanceof NothingToChange) return { unchanged: error.result as T };
    throw error;
  }
}
