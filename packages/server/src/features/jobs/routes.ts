import { commands, IdSchema, oneOf, orNull, refuse, type Refusal, type SettingsIndex } from "@threadmill/core";
import { Readable } from "node:stream";
import { Type } from "typebox";
import { byId, list, pageById, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { callerMay } from "../../http/rights.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { refusalLines } from "../../jobs/refusal-lines.ts";
import { csvType } from "../../jobs/csv/cells.ts";
import { type JobRow, JobSchema, jobStates, shown } from "../../jobs/row.ts";
import { listJobs, listRefusals } from "../../jobs/store.ts";

const RefusalSchema = Type.Object(
  {
    number: Type.Integer(),
    item: Type.String({ description: "the id, or the row, that it was about" }),
    code: Type.String(),
    message: Type.String(),
    path: orNull(Type.String()),
    detail: Type.Unknown({ description: "what was refused, where it stands nowhere else" }),
  },
  { title: "JobRefusal" },
);

const noJob = (): Refusal => refuse("not_found", "job_not_found", "There is no such job");
const jobParams = Type.Object({ job: IdSchema });

/** Routes of work on many things: asking for it, looking at it, steering it. Everybody sees their own jobs. */
export function jobRoutes({ jobs, pool }: Pick<AppPorts, "jobs" | "pool">): Route[] {
  const about = { tag: "Jobs", permission: null } as const;
  const open = [...jobs.kinds.values()].filter((kind) => kind.open);
  const Asked = Type.Union(
    open.map((kind) =>
      Type.Object(
        { kind: Type.Literal(kind.name), parameters: kind.parameters },
        { additionalProperties: false, description: `${kind.summary}. Needs the right \`${kind.permission}\`.` },
      ),
    ),
    { title: "JobAsked" },
  );
  const askedOf = (call: Call) => call.body as { readonly kind: string; readonly parameters: unknown };
  /** The kind's right, and that of the command that it is to repeat: a token may have neither, or one, of what its user has. */
  const forbidden = async (call: Call<never, never, never> | Call, kind: string): Promise<Refusal | null> => {
    const { parameters } = askedOf(call);
    const command = commands.get((parameters as { readonly command?: string }).command ?? "");
    const settings = await call.settings();
    const needed = [jobs.kinds.get(kind)?.permission, command?.permission];
    const lacking = needed.find((each) => each !== undefined && !callerMay(settings, call.caller, each));
    return lacking === undefined ? null : refuse("forbidden", "forbidden", `This needs the right ${lacking}`);
  };

  return [
    route({
      ...about,
      method: "POST",
      url: "/jobs",
      summary: "Asks for work on many things",
      description:
        "It begins at once and goes on by itself; each thing is done by a command of its own, with your rights of that moment.",
      body: Asked,
      answer: JobSchema,
      status: 201,
      problems: [404],
      async handle(call): Promise<object | Refused> {
        const { kind, parameters } = askedOf(call);
        const no = await forbidden(call, kind);
        if (no !== null) return no;
        const made = await jobs.ask(call.place, { kind, parameters, actor: call.actor, key: call.key });
        if (!made.ok) return made;
        if (made.repeated) void call.reply.header("idempotency-replayed", "true");
        return shown(made.job);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/jobs/count",
      summary: "Tells how many things a job would be about",
      body: Asked,
      answer: Type.Object({ total: orNull(Type.Integer()) }, { title: "JobCount" }),
      problems: [404],
      async handle(call): Promise<object | Refused> {
        const { kind, parameters } = askedOf(call);
        const no = await forbidden(call, kind);
        if (no !== null) return no;
        const counted = await jobs.count(call.place, { kind, parameters, actor: call.actor });
        return counted.ok ? { total: counted.total } : counted;
      },
    }),
    list({
      ...about,
      url: "/jobs",
      summary: "Lists jobs, newest first",
      description: "Yours; with the right `jobs.read` everybody's.",
      query: {
        kind: Type.Optional(Type.String({ maxLength: 100 })),
        state: Type.Optional(oneOf(jobStates)),
        mine: Type.Optional(Type.Boolean({ description: "only those that you asked for" })),
      },
      item: JobSchema,
      title: "JobPage",
      spot: byId,
      async read(call, page) {
        const { place, query, actor } = call;
        const all = query.mine !== true && callerMay(await call.settings(), call.caller, "jobs.read");
        const rows = await listJobs(pool, place.organization, {
          user: all ? null : (actor.id ?? ""),
          kind: query.kind,
          state: query.state,
          before: page.after?.[0],
          most: page.rows,
        });
        return pageById(rows.map(shown), page);
      },
    }),
    route({
      ...about,
      method: "GET",
      url: "/jobs/:job",
      summary: "Reads a job",
      params: jobParams,
      answer: JobSchema,
      async handle(call) {
        const job = await jobs.read(call.place, call.params.job);
        return job !== null && sees(await call.settings(), call, job, "jobs.read") ? shown(job) : noJob();
      },
    }),
    list({
      ...about,
      url: "/jobs/:job/refusals",
      summary: "Lists what of a job was refused, and why",
      params: jobParams,
      item: RefusalSchema,
      title: "JobRefusalPage",
      spot: Type.Tuple([Type.Integer()]),
      async read(call, page) {
        const job = await jobs.read(call.place, call.params.job);
        if (job === null || !sees(await call.settings(), call, job, "jobs.read")) return noJob();
        const found = await listRefusals(pool, call.place, job.id, page.after?.[0] ?? 0, page.rows);
        return pageOf(found, page, (row) => [row.number]);
      },
    }),
    route({
      ...about,
      method: "GET",
      url: "/jobs/:job/refusals.csv",
      summary: "Gives what of a job was refused as a table, ready to be mended and imported",
      params: jobParams,
      media: csvType,
      answer: Type.String(),
      async handle(call) {
        const job = await jobs.read(call.place, call.params.job);
        if (job === null || !sees(await call.settings(), call, job, "jobs.read")) return noJob();
        void call.reply.header("content-disposition", `attachment; filename="refused-${job.id}.csv"`);
        return Readable.from(refusalLines(pool, call.place, job));
      },
    }),
    ...(["pause", "cancel", "resume"] as const).map((way) =>
      route({
        ...about,
        method: "POST",
        url: `/jobs/:job/${way}`,
        summary: sentences[way],
        description: "Yours; with the right `jobs.write` anybody's.",
        params: jobParams,
        body: Type.Object({}, { additionalProperties: false }),
        answer: JobSchema,
        async handle(call): Promise<object | Refused> {
          const { place, params } = call;
          const job = await jobs.read(place, params.job);
          const settings = await call.settings();
          if (job === null || !sees(settings, call, job, "jobs.read")) return noJob();
          if (!sees(settings, call, job, "jobs.write"))
            return refuse("forbidden", "forbidden", "This needs the right jobs.write");
          const steered = await jobs.steer(place, job.id, way);
          return steered.ok ? shown(steered.job) : steered;
        },
      }),
    ),
  ];
}

const sentences = {
  pause: "Pauses a job; what is begun of it is finished",
  cancel: "Cancels a job; what is begun of it is finished, what is done stays done",
  resume: "Goes on with a job that is paused or failed, where it was",
} as const;

const sees = (
  settings: SettingsIndex,
  { actor, caller }: Pick<Call, "actor" | "caller">,
  job: JobRow,
  permission: "jobs.read" | "jobs.write",
): boolean => job.actor.id === actor.id || callerMay(settings, caller, permission);
