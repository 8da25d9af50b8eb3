import { grantsOf, IdSchema, InstantSchema, refuse } from "@threadmill/core";
import { Type } from "typebox";
import { userOf } from "../../http/rights.ts";
import { giverOf } from "../../rights/granting.ts";
import { type Call, type Route, route } from "../../http/route.ts";
import { invite, openInvitations, revokeInvitation } from "../../identity/invitations.ts";
import { letters } from "../../identity/letters.ts";
import { issueLink, linkAddress } from "../../identity/one-time.ts";
import { isEmail } from "../../identity/people.ts";
import type { SigningIn } from "../../identity/signing-in.ts";
import { closed, done, DoneSchema } from "../sessions/schemas.ts";

const fields = {
  id: IdSchema,
  user: Type.String({ format: "uuid", description: "whom the one who accepts will be" }),
  email: Type.String(),
  mailed: Type.Boolean({ description: "whether the link was sent to that address" }),
  created_at: InstantSchema,
  expires_at: InstantSchema,
};
const LinkSchema = Type.Union([Type.String(), Type.Null()], {
  description: "shown here and nowhere else where there is no mail; hand it to the person by a safe way",
});
const about = { tag: "Settings", permission: "users.write" } as const;

/** Inviting those who are to work here, and letting in again who is locked out. */
export function invitationRoutes(signing: SigningIn): Route[] {
  const { pool, mail, publicUrl } = signing;
  return [
    route({
      ...about,
      method: "GET",
      url: "/invitations",
      summary: "Lists invitations that nobody has answered yet, newest first",
      answer: Type.Object(
        { items: Type.Array(Type.Object(fields, { title: "Invitation" })) },
        { title: "Invitations" },
      ),
      handle: async ({ place }) => ({ items: await openInvitations(pool, place) }),
    }),
    route({
      ...about,
      method: "POST",
      url: "/invitations",
      summary: "Invites a user to sign in",
      description:
        "The user is there already, with a role and an e-mail address; whoever accepts is that user. An earlier invitation of the same user ends. Without mail (THREADMILL_SMTP_URL) the link is in the answer.",
      body: closed({ user: Type.String({ maxLength: 320, description: "id or e-mail address of the user" }) }),
      answer: Type.Object({ ...fields, link: LinkSchema }, { title: "NewInvitation" }),
      status: 201,
      async handle(call) {
        const { place, body, caller } = call;
        const found = await invitable(call, body.user);
        if ("ok" in found) return found;
        const { email, id } = found;
        const asked = { user: id, email, mailed: mail.configured, by: userOf(caller) };
        const { invitation, token } = await invite(pool, place, asked);
        const link = linkAddress(publicUrl, "invitation", token);
        if (!mail.configured) return { ...invitation, link };
        const { organization } = await call.settings();
        if (await mail.send(letters.invitation(email, organization.name, link))) return { ...invitation, link: null };
        await revokeInvitation(pool, place, invitation.id);
        return refuse("conflict", "mail_failed", "The letter could not be sent; the server's log has the reason");
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/invitations/:id/revoke",
      summary: "Takes an invitation back",
      params: Type.Object({ id: IdSchema }),
      body: closed({}),
      answer: DoneSchema,
      handle: async ({ place, params }) =>
        (await revokeInvitation(pool, place, params.id))
          ? done
          : refuse("not_found", "invitation_not_found", "There is no such invitation"),
    }),
    route({
      ...about,
      method: "POST",
      url: "/users/:id/reset-link",
      summary: "Makes a link by which a user sets a new password",
      description:
        "It goes to the user's address. Where there is no mail the link is in the answer; not for people who work in other organizations too, for whom an operator does it (`threadmill user reset-password`).",
      params: Type.Object({ id: IdSchema }),
      body: closed({}),
      answer: Type.Object({ mailed: Type.Boolean(), link: LinkSchema }, { title: "ResetLink" }),
      async handle(call) {
        const { place, params, caller } = call;
        const settings = await call.settings();
        const target = settings.user(params.id);
        const { rows } = await pool.query<{ id: string; email: string; places: number }>(
          `select i.id, i.email, (select count(*)::int from directory_memberships o where o.identity = i.id) as places
from directory_memberships m join directory_identities i on i.id = m.identity where m.organization = $1 and m.user_id = $2`,
          [place.organization, params.id],
        );
        const [identity] = rows;
        if (target === null || identity === undefined)
          return refuse("not_found", "user_not_found", "There is no such user who signs in");
        // whoever holds the link is that user: nobody gets more rights by it than they have
        const roleOf = (id: string | null): string => (id === null ? "" : (settings.user(id)?.role ?? ""));
        if (roleOf(params.id) === "owner" && roleOf(caller.user) !== "owner")
          return refuse("forbidden", "owner_only", "Only an owner can do this for an owner");
        const beyond = giverOf(settings, caller).refusal(grantsOf(target, settings.all.roles));
        if (beyond !== null) return beyond;
        if (!mail.configured && identity.places > 1)
          return refuse("conflict", "works_elsewhere", "They work in other organizations too; an operator can do it");
        const facts = { identity: identity.id, mailed: mail.configured };
        const link = linkAddress(publicUrl, "reset", await issueLink(pool, "reset", facts));
        if (!mail.configured) return { mailed: false, link };
        return { mailed: await mail.send(letters.reset(identity.email, link)), link: null };
      },
    }),
  ];

  /** A user who can be invited: a person with an address, who does not sign in yet. */
  async function invitable(call: Call, wanted: string) {
    const settings = await call.settings();
    const user = settings.user(wanted);
    if (user === null || user.kind !== "person")
      return refuse("invalid", "user_not_found", "There is no such person", "/user");
    if (user.archived_at !== null) return refuse("conflict", "user_archived", "The user is archived", "/user");
    const beyond = giverOf(settings, call.caller).refusal(grantsOf(user, settings.all.roles), "/user");
    if (beyond !== null) return beyond;
    const { email } = user;
    if (email === null || !isEmail(email))
      return refuse("conflict", "email_missing", "The user has no e-mail address to be invited by", "/user");
    const { rows } = await pool.query("select 1 from directory_memberships where organization = $1 and user_id = $2", [
      call.place.organization,
      user.id,
    ]);
    if (rows.length > 0) return refuse("conflict", "user_signs_in", "The user signs in already", "/user");
    return { id: user.id, email };
  }
}
