import { grantsOfRole, isPermission, permissionFacts, refuse, type Role, settingsSchemas } from "@threadmill/core";
import { Type } from "typebox";
import { giverIn } from "../../rights/granting.ts";
import { resource } from "../settings/resource.ts";

const { slug, name, rights } = settingsSchemas.roles.properties;

/** Roles of an organization's own: sets of permissions, each with how far it reaches. */
export const roles = resource<Role>({
  noun: "role",
  plural: "roles",
  permission: "users.write",
  shape: Type.Object(settingsSchemas.roles.properties, { title: "Role" }),
  create: { slug, name, rights },
  update: { slug, name, rights },
  defaults: {},
  unique: ["slug"],
  json: ["rights"],
  slugged: true,
  effect: "docs/permissions.md lists the permissions. Nobody can give more than they have themselves.",
  async check(row, { tx, caller, before }) {
    for (const [word, scope] of Object.entries(row.rights)) {
      const path = `/rights/${word.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (!isPermission(word)) return refuse("invalid", "permission_unknown", "There is no such permission", path);
      if (!permissionFacts(word).scoped && scope !== "everywhere")
        return refuse("invalid", "scope_not_possible", `${word} is for all of the organization: everywhere`, path);
    }
    const giver = await giverIn(tx, caller);
    return giver.refusal(grantsOfRole(row), "/rights") ?? (before && giver.refusal(grantsOfRole(before)));
  },
  async checkArchive(row, { tx, place, caller }) {
    const { rows } = await tx.query<{ name: string }>(
      "select name from users where lane = $1 and organization = $2 and role = $3 and archived_at is null limit 1",
      [place.lane, place.organization, row.id],
    );
    const [user] = rows;
    if (user !== undefined) return refuse("conflict", "role_in_use", `${user.name} has this role`);
    return (await giverIn(tx, caller)).refusal(grantsOfRole(row));
  },
});
