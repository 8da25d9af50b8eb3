import { type Command, decide, Ledger, Missing, needsOf, prepare, type Refusal } from "@threadmill/core";
import { load, LoadedWorld } from "../lanes/loader.ts";
import { freshId } from "../lanes/fresh-id.ts";
import type { JobContext, JobItem } from "./kind.ts";

/**
 * Tells for each of some commands why it would be refused, null where it would not, as if they were decided one after the
 * other just now. By the very decisions, on rows that are read and not locked; nothing is written. Only for commands that
 * read rows and the settings: what asks for workflows is none.
 */
export async function tryOut(context: JobContext, items: readonly JobItem[]): Promise<(Refusal | null)[]> {
  const { place, settings, actor, pool } = context;
  const client = await pool.connect();
  try {
    const prepared = items.map(({ command }) => prepare(command.type, command.input, settings));
    const ready = items.map((item, n): Command | null => {
      const one = prepared[n] as (typeof prepared)[number];
      return one.ok ? { type: item.command.type, actor, input: one.input } : null;
    });
    const world = new LoadedWorld(place);
    const needs = ready.flatMap((command) => (command === null ? [] : needsOf(command, settings)));
    await load(client, new Map([[world, needs]]));
    const ledger = new Ledger(world);
    const at = new Date().toISOString();
    const answers: (Refusal | null)[] = [];
    for (const [n, command] of ready.entries()) {
      const one = prepared[n] as (typeof prepared)[number];
      if (command === null) {
        answers.push(one.ok ? null : one);
        continue;
      }
      for (;;) {
        const mark = ledger.mark();
        try {
          const { answer } = decide(command, {
            ledger,
            settings,
            actor,
            at,
            root: "try",
            cause: {},
            depth: 0,
            mint: freshId,
            workflows: { published: () => null },
          });
          answers.push(answer.ok ? null : answer);
          break;
        } catch (error) {
          if (!(error instanceof Missing)) throw error;
          ledger.rollback(mark);
          await load(client, new Map([[world, error.keys]]));
        }
      }
    }
    return answers;
  } finally {
    client.release();
  }
}
