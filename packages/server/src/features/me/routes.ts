import { IdSchema, orNull, settingsSchemas, type User } from "@threadmill/core";
import { Type } from "typebox";
import { userOf } from "../../http/rights.ts";
import { type Route, route } from "../../http/route.ts";
import { OrganizationSchema } from "../organization/routes.ts";

const inOrder = (a: string, b: string): number => (a < b ? -1 : 1);

/** The route that tells a caller who they are. */
export function meRoutes(): Route[] {
  return [
    route({
      method: "GET",
      url: "/me",
      tag: "Me",
      summary: "Tells who calls, by which token or session, and what they may do",
      permission: null,
      answer: Type.Object(
        {
          user: Type.Object(settingsSchemas.users.properties, { title: "User" }),
          organization: OrganizationSchema,
          permissions: Type.Array(Type.String()),
          token: orNull(Type.Object({ id: IdSchema, name: Type.String() })),
          session: orNull(Type.Object({ id: IdSchema, identity: IdSchema })),
        },
        { title: "Me" },
      ),
      async handle({ caller, settings }) {
        const index = await settings();
        const { id, kind, role, name, email, capacity, hours, archived_at } = index.user(userOf(caller)) as User;
        return {
          user: { id, kind, role, name, email, capacity, hours, archived_at },
          organization: index.organization,
          permissions: [...index.rights(id).keys()]
            .filter((name) => caller.scopes?.has(name) ?? true)
            .toSorted(inOrder),
          token: caller.token,
          session: caller.session,
        };
      },
    }),
  ];
}
