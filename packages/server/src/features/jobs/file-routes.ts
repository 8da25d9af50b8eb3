import { Readable } from "node:stream";
import { IdSchema, InstantSchema, refuse } from "@threadmill/core";
import { Type } from "typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import { plainProblems, ProblemAnswer } from "../../http/errors.ts";
import type { AppPorts } from "../../http/ports.ts";
import { problem } from "../../http/problems.ts";
import { callerMay } from "../../http/rights.ts";
import { type Call, type Route, route } from "../../http/route.ts";
import type { Scope, ScopeLimits } from "../../http/scope.ts";
import type { Place } from "../../lanes/port.ts";
import { type JobFile, partBytes } from "../../jobs/files.ts";
import type { Jobs } from "../../jobs/jobs.ts";

/** Where links to files of jobs lead: a browser brings no token there. */
const prefix = "/downloads";
/** A link is good for so long. */
const linkMinutes = 15;

const noFile = () => refuse("not_found", "file_not_found", "This job has no file, or not any more, or it is not yours");

/** Routes of the files that jobs wrote: only whoever asked has them, for they hold what that one may read. */
export function jobFileRoutes({
  jobs,
  secretBox,
  clock,
  publicUrl,
}: Pick<AppPorts, "jobs" | "secretBox" | "clock" | "publicUrl">): Route[] {
  const about = { tag: "Jobs", permission: null } as const;
  const params = Type.Object({ job: IdSchema });

  /** The file of a job that is done, for who asked for it and still may. */
  const find = async (
    call: Pick<Call, "place" | "actor" | "caller" | "settings">,
    id: string,
  ): Promise<JobFile | null> => {
    const job = await jobs.read(call.place, id);
    const permission = job === null ? undefined : jobs.kinds.get(job.kind)?.permission;
    if (job === null || job.actor.id !== call.actor.id || permission === undefined) return null;
    if (!callerMay(await call.settings(), call.caller, permission)) return null;
    const file = await jobs.files.find(call.place, job.id);
    return file?.complete === true ? file : null;
  };

  return [
    route({
      ...about,
      method: "GET",
      url: "/jobs/:job/file",
      summary: "Gives the file that a job wrote",
      description: "Yours alone, and only for some days.",
      params,
      media: "application/octet-stream",
      answer: Type.String(),
      async handle(call) {
        const file = await find(call, call.params.job);
        return file === null ? noFile() : contentOf(jobs, call.place, file, call.reply);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/jobs/:job/link",
      summary: "Makes a short-lived link to the file that a job wrote",
      description: `Whoever has it can fetch the file, without signing in, for ${linkMinutes} minutes.`,
      params,
      body: Type.Object({}, { additionalProperties: false }),
      answer: Type.Object({ url: Type.String(), expires_at: InstantSchema }, { title: "JobFileLink" }),
      async handle(call) {
        const file = await find(call, call.params.job);
        if (file === null) return noFile();
        const expires_at = new Date(Date.parse(clock.now()) + linkMinutes * 60_000).toISOString();
        const said: Said = { ...call.place, file: file.id, expires_at };
        const sealed = secretBox.of("downloads").seal(JSON.stringify(said), context);
        return { url: `${publicUrl}${prefix}/${Buffer.from(sealed).toString("base64url")}`, expires_at };
      },
    }),
  ];
}

interface Said extends Place {
  readonly file: string;
  readonly expires_at: string;
}
const context = ["downloads"];

/** The scope of links: nobody signs in, the link itself says what may be had. */
export const downloadScope: Scope = {
  name: "downloads",
  prefix,
  signIn: null,
  checkRights: async () => {},
  problems: plainProblems,
  unknownFields: "ignored",
  origins: null,
  rates: { read: { perSecond: 100, burst: 1000 }, write: { perSecond: 1, burst: 1 } },
  inReference: false,
};

/** Answers links. What is forged, too old or of a file that is gone is all the same: not found. */
export function downloads({ jobs, secretBox, clock }: Pick<AppPorts, "jobs" | "secretBox" | "clock">) {
  return (own: FastifyInstance, limits: ScopeLimits): void => {
    own.get<{ Params: { link: string } }>("/:link", { schema: { hide: true } }, async (request, reply) => {
      const said = read(request.params.link);
      const file = said === null || said.expires_at <= clock.now() ? null : await jobs.files.find(said, said.file);
      if (said === null || file === null) {
        limits.countStranger(request);
        throw new ProblemAnswer(problem("not_found"));
      }
      return reply.send(contentOf(jobs, said, file, reply));
    });
  };

  function read(link: string): Said | null {
    const opened = secretBox.of("downloads").open(Buffer.from(link, "base64url").toString(), context);
    return opened.ok ? (JSON.parse(opened.text) as Said) : null;
  }
}

/** A file as it goes out, a part of it in memory at a time; never shown as a page. */
function contentOf(jobs: Jobs, place: Place, file: JobFile, reply: FastifyReply): Readable {
  void reply
    .type(file.media_type)
    .header("content-disposition", `attachment; filename="${file.name.replaceAll(/[^\w.-]/g, "_")}"`)
    .header("content-length", String(file.bytes));
  return Readable.from(partsOf(jobs, place, file));
}

async function* partsOf(jobs: Jobs, place: Place, file: JobFile): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.bytes;) {
    const part = await jobs.files.read(place, file.id, at, partBytes);
    // a file that is removed meanwhile ends early, and its length says so
    if (part.length === 0) return;
    yield part;
    at += part.length;
  }
}
