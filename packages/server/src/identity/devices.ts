import { randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Pool } from "pg";
import { hashToken } from "../secrets/token.ts";

const secure = (publicUrl: string): boolean => publicUrl.startsWith("https:");
const cookieName = (publicUrl: string): string => `${secure(publicUrl) ? "__Secure-" : ""}threadmill_device`;
const yearSeconds = 365 * 86_400;

function deviceOf({ headers }: FastifyRequest, publicUrl: string): string | null {
  const found = headers.cookie?.split(";").map((part) => part.trim().split("=", 2)) ?? [];
  const value = found.find(([name]) => name === cookieName(publicUrl))?.[1];
  return value !== undefined && /^[0-9a-f]{64}$/.test(value) ? value : null;
}

/** The browser of a request by its hash, if that account has signed in there before; else null. */
export async function knownDevice(
  pool: Pool,
  request: FastifyRequest,
  publicUrl: string,
  email: string,
): Promise<string | null> {
  const device = deviceOf(request, publicUrl);
  // asked for in any case, so that its time says nothing
  const { rows } = await pool.query(
    `select 1 from directory_devices d join directory_identities i on i.id = d.identity where d.hash = $1 and i.email = $2`,
    [hashToken(device ?? ""), email],
  );
  return rows.length > 0 && device !== null ? hashToken(device) : null;
}

/** Remembers that an identity has proven itself in this browser. */
export async function rememberDevice(
  pool: Pool,
  { request, reply, publicUrl }: { request: FastifyRequest; reply: FastifyReply; publicUrl: string },
  identity: string,
): Promise<void> {
  const device = deviceOf(request, publicUrl) ?? randomBytes(32).toString("hex");
  await pool.query(
    `insert into directory_devices (hash, identity) values ($1, $2)
on conflict (hash, identity) do update set last_used_at = now()`,
    [hashToken(device), identity],
  );
  const parts = [`${cookieName(publicUrl)}=${device}`, "Path=/", `Max-Age=${yearSeconds}`, "HttpOnly", "SameSite=Lax"];
  void reply.header("set-cookie", [...parts, ...(secure(publicUrl) ? ["Secure"] : [])].join("; "));
}
