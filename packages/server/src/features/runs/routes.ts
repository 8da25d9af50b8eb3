import { idSchema, IdSchema, oneOf, refuse, type Run, RunHeadSchema, RunSchema, runStatuses } from "@threadmill/core";
import { Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import { readRun, readSteps } from "../../lanes/run-format.ts";
import { reachOf, runWithinReachText } from "../../rights/reach.ts";
import { seenWorkflow } from "../../rights/workflows.ts";
import { familyOf } from "../family.ts";
import { readWorkflow } from "../workflows/store.ts";
import { runColumns, runHeadColumns } from "./columns.ts";

/** Filters of the list, by column; each is left out of the statement where it is not asked for. */
const filters = ["workflow", "status", "subject", "customer", "conversation"] as const;

/** Routes that read runs, live and finished. */
export function runRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  const read = { method: "GET", tag: "Runs", permission: "runs.read" } as const;
  return [
    list({
      ...read,
      url: "/runs",
      summary: "Lists runs, newest first",
      query: {
        workflow: Type.Optional(Type.String({ maxLength: 64, description: "id or short name" })),
        status: Type.Optional(oneOf(runStatuses)),
        subject: Type.Optional(IdSchema),
        customer: Type.Optional(idSchema("with those of customers merged with this one")),
        conversation: Type.Optional(idSchema("with those of conversations merged with this one")),
      },
      item: RunHeadSchema,
      title: "RunPage",
      spot: byId,
      async read(call, page) {
        const { place, query } = call;
        const named = query.workflow === undefined ? undefined : await readWorkflow(pool, place, query.workflow);
        const workflow = named === undefined ? undefined : await seenWorkflow(call, named);
        if (workflow === null) return refuse("invalid", "workflow_not_found", "There is no such workflow", "/workflow");
        const given = { ...query, workflow: workflow?.id };
        const values: unknown[] = [place.lane, place.organization, page.rows];
        const where = ["lane = $1", "organization = $2"];
        for (const name of filters) {
          const asked = given[name];
          if (asked === undefined) continue;
          // a run that was over by then stays with what was merged
          const family =
            name === "customer" || name === "conversation" ? await familyOf(pool, place, `${name}s`, asked) : [];
          if (family.length > 1) where.push(`${name} = any($${values.push(family)})`);
          else where.push(`${name} = $${values.push(asked)}`);
        }
        if (page.after !== undefined) where.push(`id < $${values.push(page.after[0])}`);
        const reach = runWithinReachText(await reachOf(call, "runs.read"), values);
        const part = (table: string) =>
          `(select ${runHeadColumns} from ${table} run where ${where.join(" and ")}${reach} order by id desc limit $3)`;
        // one statement sees one moment: a run that finishes meanwhile is neither missed nor listed twice
        const { rows } = await pool.query<Run>(
          `${part("runs")} union all ${part("runs_history")} order by id desc limit $3`,
          values,
        );
        return pageById(rows.map(readRun), page);
      },
    }),
    route({
      ...read,
      url: "/runs/:run",
      summary: "Reads a run with the input, output, time and reason of each step",
      description: "Steps of finished runs are kept for as long as the server was told to.",
      params: Type.Object({ run: IdSchema }),
      answer: RunSchema,
      async handle(call) {
        const { place, params } = call;
        const values: unknown[] = [place.lane, place.organization, params.run];
        const reach = runWithinReachText(await reachOf(call, "runs.read"), values);
        const part = (table: string) =>
          `select ${runColumns} from ${table} run where lane = $1 and organization = $2 and id = $3${reach}`;
        const { rows } = await pool.query<Run>(`${part("runs")} union all ${part("runs_history")}`, values);
        const run = rows[0];
        if (run === undefined) return refuse("not_found", "run_not_found", "There is no such run");
        return { ...readRun(run), steps: readSteps(run, run.steps) };
      },
    }),
  ];
}
