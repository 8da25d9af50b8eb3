import type { OptionName } from "@threadmill/server";
import { backUp } from "./backup.ts";
import { type Command, first, textFlag } from "./command.ts";
import { examine } from "./doctor/doctor.ts";
import { migrateDatabase } from "./migrate.ts";
import { createOrganizationCommand } from "./organization-create.ts";
import { listJobs, showJob, steerJob } from "./job.ts";
import { listParked, settleParked } from "./parked.ts";
import { rebuildFollower } from "./rebuild.ts";
import { replay } from "./replay/replay.ts";
import { restoreBackup } from "./restore.ts";
import { createToken, listTokens, revokeToken } from "./token.ts";
import { createUser, listSessions, resetPassword } from "./user.ts";
import { positive, UserError } from "./user-error.ts";
import { diffWorkflows } from "./workflow/diff.ts";
import { pullWorkflows } from "./workflow/pull.ts";
import { pushWorkflows } from "./workflow/push.ts";
import { validateWorkflows } from "./workflow/validate.ts";

/** Commands that ask a running server. */
const ofServer: readonly OptionName[] = ["url", "token"];
/** Commands that go to the database themselves. */
const ofDatabase: readonly OptionName[] = ["dataDir", "databaseUrl", "databaseDirectUrl"];

const serverExits = { unreachable: "The server does not answer." } as const;
const databaseExits = {
  unreachable: "The database cannot be reached.",
  schema_newer: "The database was written by a newer Threadmill.",
} as const;
const operator =
  "An operator's command: it goes to the database itself, past any server, which may run meanwhile. The embedded database is started for the duration when no server runs it.";
const organization = {
  name: "organization",
  value: "id or name",
  about: "which organization, where there are several",
} as const;
const documents = {
  name: "file",
  about: "workflow documents; a file's name without .json is the workflow's short name",
  many: true,
} as const;

/** Every command but `start`, which is the server itself. */
export const commands: readonly Command[] = [
  {
    name: "migrate",
    summary: "Brings the database's schema up to this program's",
    details: `A server does the same at its start. ${operator}`,
    options: ofDatabase,
    json: "{applied: [name], version}",
    exits: databaseExits,
    run: (context) => migrateDatabase(context),
  },
  {
    name: "replay",
    summary: "Feeds recorded conversations through the API of a running server",
    details:
      "The file is a JSON array of `{id, messages: [{from, at, text}]}`, `from` being `customer` or `agent`. Messages go in time order over all conversations, as fast as the server takes them or at so many times real time; within one conversation strictly one after the other. Customers write as `replay-<id>` by a channel of the kind api, agents reply in the conversation. A second replay goes on in the same conversations. `messages` counts both directions, latency is request sent to answer received, `cut` the answers that came before all automatic actions were committed; events, runs and steps are what the organization got meanwhile, from whatever cause.",
    args: [{ name: "file", about: "the recording" }],
    flags: [
      { name: "speed", value: "number", about: "times real time; as fast as possible when not given" },
      { name: "channel", value: "slug", about: "channel of the kind api that customers write by; default api" },
      { name: "parallel", value: "number", about: "requests under way at once; default 32" },
    ],
    options: ofServer,
    json: "{messages, conversations, events, runs, steps, failed, seconds, p50Ms, p99Ms, cut}",
    exits: { ...serverExits, refused: "The file is no recording, or some messages were refused (`failed`)." },
    run: (context, given) =>
      replay(context, {
        file: first(given),
        speed: positive(textFlag(given, "speed"), "--speed"),
        channel: textFlag(given, "channel"),
        parallel: wholeFrom(positive(textFlag(given, "parallel"), "--parallel")),
      }),
  },
  {
    name: "doctor",
    summary: "Looks at everything an installation needs",
    details:
      "Node, data directory, disk space, secret key, database, clock, schema, server and token: each is ok, warn or fail. It changes nothing and starts nothing.",
    options: [...ofDatabase, ...ofServer, "secretKey"],
    json: "{verdict, findings: [{check, verdict, message}]}",
    exits: { fault: "Something failed." },
    run: (context) => examine(context),
  },
  {
    name: "rebuild",
    summary: "Has what follows the log made anew",
    details: `Counts and the like are made from the log in the background. This throws one of them away, and the servers make it anew while they serve: \`daily_counts\`. Where the log is gone, what was made of it stays. ${operator}`,
    args: [{ name: "follower", about: "its name, as in the metric threadmill_follower_lag_seconds" }],
    options: ofDatabase,
    json: "{follower, lanes}",
    exits: { ...databaseExits, refused: "There is no such follower." },
    run: (context, given) => rebuildFollower(context, first(given)),
  },
  {
    name: "token create",
    summary: "Makes an API token and shows it once",
    details: operator,
    args: [{ name: "name", about: "what it is for" }],
    flags: [
      organization,
      { name: "user", value: "id or e-mail", about: "whose rights it has; default: the first admin" },
      { name: "days", value: "number", about: "after how many days it expires; default: never" },
    ],
    options: ofDatabase,
    json: "{id, name, user, hint, created_at, revoked_at, expires_at, last_used_at, organization, token}",
    exits: { ...databaseExits, refused: "There is no such organization or user." },
    run: (context, given) =>
      createToken(context, {
        name: first(given),
        organization: textFlag(given, "organization"),
        user: textFlag(given, "user"),
        days: positive(textFlag(given, "days"), "--days"),
      }),
  },
  {
    name: "token list",
    summary: "Lists the tokens of an organization, revoked ones too",
    details: operator,
    flags: [organization],
    options: ofDatabase,
    json: "{organization, tokens: [{id, name, user, hint, created_at, revoked_at, expires_at, last_used_at}]}",
    exits: { ...databaseExits, refused: "There is no such organization." },
    run: (context, given) => listTokens(context, { organization: textFlag(given, "organization") }),
  },
  {
    name: "token revoke",
    summary: "Revokes a token; servers refuse it within seconds",
    details: operator,
    args: [{ name: "id", about: "the token's id, as the list shows it" }],
    flags: [organization],
    options: ofDatabase,
    json: "{id, name, user, hint, created_at, revoked_at, expires_at, last_used_at}",
    exits: { ...databaseExits, refused: "There is no such organization or token." },
    run: (context, given) => revokeToken(context, { id: first(given), organization: textFlag(given, "organization") }),
  },
  {
    name: "user create",
    summary: "Makes a user, and shows the link by which they come in",
    details: `A user with that address who is there already gets the link. ${operator}`,
    args: [{ name: "email", about: "their e-mail address" }],
    flags: [
      { name: "name", value: "name", about: "what they are called; default: the address" },
      { name: "role", value: "role", about: "admin or agent; default: agent" },
      organization,
    ],
    options: [...ofDatabase, "publicUrl"],
    json: "{user, email, organization, link, expires_at}",
    exits: { ...databaseExits, refused: "There is no such organization, or the user signs in already." },
    run: (context, given) =>
      createUser(context, {
        email: first(given),
        name: textFlag(given, "name"),
        role: textFlag(given, "role"),
        organization: textFlag(given, "organization"),
      }),
  },
  {
    name: "user reset-password",
    summary: "Shows a link by which somebody who is locked out sets a new password",
    details: `Their sessions end when it is used. ${operator}`,
    args: [{ name: "email", about: "the address that they sign in with" }],
    flags: [{ name: "second-factor", about: "take their second factor away, too" }],
    options: [...ofDatabase, "publicUrl"],
    json: "{identity, email, link, second_factor}",
    exits: { ...databaseExits, refused: "Nobody signs in with that address." },
    run: (context, given) =>
      resetPassword(context, { email: first(given), secondFactor: given.flags["second-factor"] === true }),
  },
  {
    name: "user sessions",
    summary: "Lists where somebody is signed in, or ends all of it",
    details: operator,
    args: [{ name: "email", about: "the address that they sign in with" }],
    flags: [{ name: "revoke", about: "end all their sessions; servers refuse them within seconds" }],
    options: ofDatabase,
    json: "{identity, email, sessions: [{id, created_at, last_seen_at, expires_at, address, browser}], ended}",
    exits: { ...databaseExits, refused: "Nobody signs in with that address." },
    run: (context, given) => listSessions(context, { email: first(given), revoke: given.flags["revoke"] === true }),
  },
  {
    name: "organization create",
    summary: "Makes an organization with an owner, a mailbox, channels and a token",
    details: operator,
    args: [{ name: "name", about: "its name" }],
    flags: [
      { name: "zone", value: "time zone", about: "such as Europe/Berlin; default UTC" },
      { name: "sandbox", about: "nothing leaves it" },
    ],
    options: ofDatabase,
    json: "{id, name, lane, sandbox, owner, mailbox, channels: {api, sms}, token}",
    exits: databaseExits,
    run: (context, given) =>
      createOrganizationCommand(context, {
        name: first(given),
        zone: textFlag(given, "zone"),
        sandbox: given.flags["sandbox"] === true,
      }),
  },
  {
    name: "backup",
    summary: "Writes database and secret key into one file, also while a server runs",
    details:
      "The file is the state of one moment, readable by its owner only, and holds the secret key: keep it safe. It is also the way to a newer PostgreSQL: back up with the old Threadmill, restore with the new one. Needs no PostgreSQL tools.",
    args: [{ name: "file", about: "a file that is not there yet, such as threadmill.backup" }],
    flags: [{ name: "without-key", about: "leave the secret key out, where it is kept elsewhere" }],
    options: [...ofDatabase, "secretKey"],
    json: "{file, bytes, created_at, schema, secret_key, source: given|running|started, rows: {table: count}}",
    exits: { ...databaseExits, refused: "The file is there already, or there is no database or secret key." },
    run: (context, given) => backUp(context, { file: first(given), withoutKey: given.flags["without-key"] === true }),
  },
  {
    name: "restore",
    summary: "Restores a backup into an empty data directory or database",
    details:
      "All or nothing. The secret key goes into the data directory, unless THREADMILL_SECRET_KEY is that same key. Migrations made since the backup run on the restored rows.",
    args: [{ name: "file", about: "the backup" }],
    options: [...ofDatabase, "secretKey"],
    json: "{file, created_at, program_version, schema, secret_key, rows: {table: count}}",
    exits: {
      ...databaseExits,
      refused: "The backup is damaged, or the place is not empty.",
      in_use: "A server uses the data directory.",
    },
    run: (context, given) => restoreBackup(context, { file: first(given) }),
  },
  {
    name: "workflow push",
    summary: "Makes documents the drafts of their workflows",
    details:
      "A workflow is found by its short name, which is the file's name, or else by the document's name; where there is none it is created.",
    args: [documents],
    flags: [
      { name: "publish", about: "publish and enable them, too" },
      { name: "draft", about: "keep drafts that have mistakes" },
    ],
    options: ofServer,
    json: "{workflows: [{file, slug, id, created, changed, published: {number, created}|null}]}",
    exits: {
      ...serverExits,
      refused: "A file is no JSON, or the server refused a document; those before it are pushed.",
    },
    run: (context, { args, flags }) => {
      if (flags["publish"] === true && flags["draft"] === true)
        throw new UserError("usage", "A draft with mistakes cannot be published: give --publish or --draft.", {
          exit: "usage",
        });
      return pushWorkflows(context, {
        files: args,
        publish: flags["publish"] === true,
        draft: flags["draft"] === true,
      });
    },
  },
  {
    name: "job list",
    summary: "Lists jobs that are not over, newest first",
    details:
      "Work on many things: imports, exports, bulk changes. Those of the token's user; with the right jobs.read everybody's.",
    flags: [{ name: "all", about: "those that are over, too" }],
    options: ofServer,
    json: "{items: [{id, kind, state, total, done, refused, ...}]}",
    exits: serverExits,
    run: (context, { flags }) => listJobs(context, { all: flags["all"] === true }),
  },
  {
    name: "job show",
    summary: "Shows how far a job is, and why the first of what was refused was",
    args: [{ name: "id", about: "which" }],
    options: ofServer,
    json: "{id, kind, state, total, done, refused, refusals: [{item, code, message, ...}], ...}",
    exits: { ...serverExits, refused: "There is no such job." },
    run: (context, given) => showJob(context, first(given)),
  },
  {
    name: "job cancel",
    summary: "Cancels a job; what is done stays done",
    args: [{ name: "id", about: "which" }],
    options: ofServer,
    json: "{id, state, ...}",
    exits: { ...serverExits, refused: "There is no such job, or it is over." },
    run: (context, given) => steerJob(context, "cancel", first(given)),
  },
  {
    name: "job resume",
    summary: "Goes on with a job that is paused or failed, where it was",
    args: [{ name: "id", about: "which" }],
    options: ofServer,
    json: "{id, state, ...}",
    exits: { ...serverExits, refused: "There is no such job, or it is neither paused nor failed." },
    run: (context, given) => steerJob(context, "resume", first(given)),
  },
  {
    name: "parked list",
    summary: "Lists items that a bug kept from being carried",
    options: ofServer,
    json: "{items: [{id, item, error, at, ...}]}",
    exits: serverExits,
    run: (context) => listParked(context),
  },
  {
    name: "parked retry",
    summary: "Does such items after all, each once",
    args: [{ name: "id", about: "which", many: true }],
    options: ofServer,
    json: "{results: [{parked, ...}]}",
    exits: { ...serverExits, refused: "One was refused, and goes on waiting; those named before it are done." },
    run: (context, { args }) => settleParked(context, "retry", args),
  },
  {
    name: "parked resolve",
    summary: "Marks such items as seen to without doing them",
    args: [{ name: "id", about: "which", many: true }],
    options: ofServer,
    json: "{results: [{parked, changed}]}",
    exits: { ...serverExits, refused: "There is no such item; those named before it are marked." },
    run: (context, { args }) => settleParked(context, "resolve", args),
  },
  {
    name: "workflow pull",
    summary: "Writes workflows to files named by their short names",
    args: [{ name: "slug", about: "which; all when none is named", many: true, optional: true }],
    flags: [
      { name: "dir", value: "folder", about: "where to; default: the working directory" },
      { name: "published", about: "the version that runs instead of the draft" },
      { name: "force", about: "overwrite files that differ" },
    ],
    options: ofServer,
    json: "{workflows: [{slug, file, changed}]}",
    exits: { ...serverExits, refused: "A file differs, or there is no such workflow; nothing was written." },
    run: (context, { args, flags, ...rest }) =>
      pullWorkflows(context, {
        slugs: args,
        folder: textFlag({ args, flags, ...rest }, "dir") ?? ".",
        published: flags["published"] === true,
        force: flags["force"] === true,
      }),
  },
  {
    name: "workflow validate",
    summary: "Tells all that is wrong with documents",
    args: [documents],
    flags: [{ name: "offline", about: "without a server: names of mailboxes, teams ... are not looked up" }],
    options: ofServer,
    json: "{valid, files: [{file, publishable, problems: [{code, path, message, severity}]}]}",
    exits: { ...serverExits, refused: "A document cannot be published, or a file is no JSON." },
    run: (context, { args, flags }) => validateWorkflows(context, { files: args, offline: flags["offline"] === true }),
  },
  {
    name: "workflow diff",
    summary: "Tells what a push would change",
    args: [documents],
    flags: [{ name: "published", about: "compare with the version that runs instead of the draft" }],
    options: ofServer,
    json: "{same, files: [{file, slug, on_server, differences: [{path, kind, before, after, text}]}]}",
    exits: { ...serverExits, refused: "Something differs, or a document has mistakes." },
    run: (context, { args, flags }) => diffWorkflows(context, { files: args, published: flags["published"] === true }),
  },
];

function wholeFrom(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value <= 10_000)) return value;
  throw new UserError("usage", "--parallel must be a whole number up to 10000", { exit: "usage" });
}
