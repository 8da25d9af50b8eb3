import {
  IdSchema,
  InstantSchema,
  oneOf,
  orNull,
  presenceStatuses,
  refuse,
  statusOf,
  type User,
} from "@threadmill/core";
import { type Static, Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";

const status = oneOf(presenceStatuses);

const PresenceSchema = Type.Object(
  {
    user: IdSchema,
    status,
    since: orNull(InstantSchema),
    chosen: Type.Union([status, Type.Null()], { description: "what was said by hand, until it is taken back" }),
    seen: Type.Union([status, Type.Null()], { description: "what open pages or working hours show" }),
    open_conversations: Type.Integer({ description: "how many they hold: so many are left behind when they go" }),
    capacity: Type.Union([Type.Integer(), Type.Null()], { description: "how many they are given at most" }),
  },
  { title: "Presence" },
);
type Shown = Static<typeof PresenceSchema>;

/** Who is there, and how much they hold. */
export function presenceRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  const read = async ({ lane, organization }: Place, users: readonly User[]): Promise<Shown[]> => {
    const { rows } = await pool.query<
      Pick<Shown, "status" | "since" | "chosen" | "seen"> & { id: string; open: number }
    >(
      `select k.id, p.status, p.since, p.chosen, p.seen, coalesce(l.open, 0) as open from unnest($3::uuid[]) as k(id)
left join presences p on p.lane = $1 and p.organization = $2 and p.user_id = k.id
left join loads l on l.lane = $1 and l.organization = $2 and l.user_id = k.id`,
      [lane, organization, users.map(({ id }) => id)],
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    return users.flatMap(({ id, kind, capacity }) => {
      const row = found.get(id);
      if (row === undefined) return [];
      const { chosen, seen, since, open } = row;
      const now = statusOf(kind, row);
      return [{ user: id, status: now, since, chosen, seen, open_conversations: open, capacity }];
    });
  };

  return [
    route({
      method: "GET",
      url: "/presences",
      tag: "Settings",
      summary: "Tells who is there, and how many conversations each holds",
      permission: "settings.read",
      answer: Type.Object({ items: Type.Array(PresenceSchema) }, { title: "Presences" }),
      async handle({ place, settings }) {
        const { users } = (await settings()).all;
        return {
          items: await read(
            place,
            users.filter((user) => user.archived_at === null && user.kind !== "robot"),
          ),
        };
      },
    }),
    route({
      method: "GET",
      url: "/users/:id/presence",
      tag: "Settings",
      summary: "Tells whether a user is there, and how many conversations they hold",
      permission: "settings.read",
      params: Type.Object({ id: IdSchema }),
      answer: PresenceSchema,
      async handle({ place, settings, params }) {
        const user = (await settings()).user(params.id);
        const [found] = user === null ? [] : await read(place, [user]);
        return found ?? refuse("not_found", "user_not_found", "There is no such user");
      },
    }),
  ];
}
