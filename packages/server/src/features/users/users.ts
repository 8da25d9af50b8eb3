import { grantsOf, isBuiltIn, refuse, type Refusal, settingsSchemas, type User } from "@threadmill/core";
import { Type } from "typebox";
import { giverIn } from "../../rights/granting.ts";
import { type ChangeContext, resource } from "../settings/resource.ts";

const { kind, role, name, email, capacity, hours } = settingsSchemas.users.properties;

/** Which of the roles that every organization has each kind of user may have; people and assistants may have its own too. */
const rolesOf: Readonly<Record<User["kind"], readonly string[]>> = {
  person: ["owner", "admin", "supervisor", "agent", "light_agent"],
  assistant: ["assistant"],
  robot: ["robot"],
};

/** Those who work here: people and AI assistants. The robot for workflows is made with the organization. */
export const users = resource<User>({
  noun: "user",
  plural: "users",
  permission: "users.write",
  shape: Type.Object(settingsSchemas.users.properties, { title: "User" }),
  create: { kind, role, name, email, capacity, hours },
  update: { role, name, email, capacity, hours },
  defaults: { kind: "person", role: "agent", email: null, capacity: null, hours: null },
  unique: ["email"],
  json: [],
  slugged: false,
  effect: "Nobody can give more rights than they have, nor change who has more.",
  async check(row, context) {
    const { kind, role, email } = row;
    if (kind === "robot" && context.before === null)
      return refuse("conflict", "robot_exists", "There is one robot for workflows; rename it", "/kind");
    const allowed = rolesOf[kind];
    const giver = await giverIn(context.tx, context.caller);
    if (isBuiltIn(role) ? !allowed.includes(role) : kind === "robot")
      return refuse("invalid", "role_not_for_kind", `A ${kind} has the role ${allowed.join(" or ")}`, "/role");
    const own = isBuiltIn(role) || role === context.before?.role ? null : giver.settings.role(role);
    if (!isBuiltIn(role) && role !== context.before?.role && (own?.id !== role || own.archived_at !== null))
      return refuse("invalid", "role_not_found", "There is no such role", "/role");
    if (email !== null && !/^[^\s@]+@[^\s@]+$/.test(email))
      return refuse("invalid", "email_invalid", "This is no e-mail address", "/email");
    const noHours = await hoursProblem(row, context);
    if (noHours !== null) return noHours;
    const { roles } = giver.settings.all;
    // who changes another's address could sign in as that one
    const refused =
      giver.refusal(grantsOf(row, roles), "/role") ??
      (context.before && giver.refusal(grantsOf(context.before, roles)));
    if (refused !== null) return refused;
    return context.before?.role === "owner" && role !== "owner" ? lastOwner(row, context) : null;
  },
  async checkArchive(row, context) {
    if (row.kind === "robot")
      return refuse("conflict", "robot_needed", "Workflows act as this user; it cannot be archived");
    const giver = await giverIn(context.tx, context.caller);
    const refused = giver.refusal(grantsOf(row, giver.settings.all.roles));
    if (refused !== null) return refused;
    return row.role === "owner" ? lastOwner(row, context) : null;
  },
  /** Whoever no longer works here does not sign in here: their identity, if it is one elsewhere, goes on there. */
  async after({ id, archived_at }, { tx, place }) {
    if (archived_at === null) return;
    await tx.query("delete from directory_memberships where organization = $1 and user_id = $2", [
      place.organization,
      id,
    ]);
    await tx.query(
      "update directory_invitations set revoked_at = now() where organization = $1 and user_id = $2 and accepted_at is null and revoked_at is null",
      [place.organization, id],
    );
  },
});

/** Hours are a calendar's, and a person's: an assistant is there whenever it is not said otherwise. */
async function hoursProblem(
  { kind, hours }: User,
  { tx, place, before }: ChangeContext<User>,
): Promise<Refusal | null> {
  if (hours === null || hours === before?.hours) return null;
  if (kind !== "person") return refuse("invalid", "hours_of_person", "Only people keep working hours", "/hours");
  const { rows } = await tx.query(
    "select 1 from calendars where lane = $1 and organization = $2 and id = $3 and archived_at is null",
    [place.lane, place.organization, hours],
  );
  return rows.length > 0 ? null : refuse("invalid", "calendar_not_found", "There is no such calendar", "/hours");
}

/** An organization without an owner could never be whole again. */
async function lastOwner({ id }: User, { tx, place }: ChangeContext<User>): Promise<Refusal | null> {
  const { rows } = await tx.query(
    "select 1 from users where lane = $1 and organization = $2 and role = 'owner' and archived_at is null and id <> $3 limit 1",
    [place.lane, place.organization, id],
  );
  return rows.length > 0 ? null : refuse("conflict", "last_owner", "This is the last owner");
}
