import { refuse } from "@threadmill/core";
import { verifyPassword } from "better-auth/crypto";
import type { FastifyRequest } from "fastify";
import type { Refused } from "../http/route.ts";
import type { Identity } from "./people.ts";
import { countedBy, countTry, type SigningIn } from "./signing-in.ts";

/** Whether this is the identity's password; null where it is. A wrong one counts as a try to sign in. */
export async function checkPassword(
  signing: SigningIn,
  request: FastifyRequest,
  identity: Pick<Identity, "id" | "email">,
  password: string,
): Promise<Refused | null> {
  const counted = await countedBy(signing, request, identity.email);
  await countTry(signing, counted);
  const { rows } = await signing.pool.query<{ password: string | null }>(
    "select password from directory_accounts where identity = $1 and provider = 'credential'",
    [identity.id],
  );
  const hash = rows[0]?.password ?? null;
  if (hash === null) return refuse("conflict", "no_password", "You sign in without a password");
  if (!(await verifyPassword({ hash, password })))
    return refuse("forbidden", "wrong_password", "The password is wrong", "/password");
  await signing.attempts.succeeded(counted);
  return null;
}
