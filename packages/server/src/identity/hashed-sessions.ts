import type { DBAdapter } from "better-auth/adapters";
import { hashToken } from "../secrets/token.ts";

type Where = NonNullable<Parameters<DBAdapter["findMany"]>[0]["where"]>;
type Row = Record<string, unknown>;

/**
 * Keeps sessions by the hashes of their tokens: whoever reads the database, or a backup of it, gets into none. What asks
 * with a token finds its row and sees the token that it asked with; in all other rows there are hashes.
 */
export function hashedSessions(base: DBAdapter): DBAdapter {
  const hidden = (model: string, where: Where): Where =>
    model === "session"
      ? where.map((one) => (one.field === "token" ? { ...one, value: hashed(one.value) } : one))
      : where;
  const optional = (model: string, where: Where | undefined) =>
    where === undefined ? {} : { where: hidden(model, where) };
  const asked = (model: string, where: Where): string | null => {
    const value = model === "session" ? where.find(({ field }) => field === "token")?.value : null;
    return typeof value === "string" ? value : null;
  };
  const shown = <T>(row: T, token: string | null): T => (row === null || token === null ? row : { ...row, token });
  const stored = <T extends Row>(model: string, data: T): T =>
    model === "session" && typeof data["token"] === "string" ? { ...data, token: hashToken(data["token"]) } : data;
  const tokenIn = (model: string, data: Row): string | null =>
    model === "session" && typeof data["token"] === "string" ? data["token"] : null;

  const adapter: DBAdapter = {
    ...base,
    create: async (given) =>
      shown(await base.create({ ...given, data: stored(given.model, given.data) }), tokenIn(given.model, given.data)),
    findOne: async (given) =>
      shown(
        await base.findOne({ ...given, where: hidden(given.model, given.where) }),
        asked(given.model, given.where),
      ) as never,
    findMany: (given) => base.findMany({ ...given, ...optional(given.model, given.where) }),
    count: (given) => base.count({ ...given, ...optional(given.model, given.where) }),
    update: async (given) =>
      shown(
        await base.update({
          ...given,
          where: hidden(given.model, given.where),
          update: stored(given.model, given.update),
        }),
        asked(given.model, given.where),
      ) as never,
    updateMany: (given) =>
      base.updateMany({
        ...given,
        where: hidden(given.model, given.where),
        update: stored(given.model, given.update),
      }),
    delete: (given) => base.delete({ ...given, where: hidden(given.model, given.where) }),
    deleteMany: (given) => base.deleteMany({ ...given, where: hidden(given.model, given.where) }),
    // what belongs together here is one statement each
    transaction: (callback) => callback(adapter),
  };
  return adapter;
}

function hashed(value: Where[number]["value"]): Where[number]["value"] {
  if (typeof value === "string") return hashToken(value);
  return Array.isArray(value) ? value.map((one) => hashToken(String(one))) : value;
}
