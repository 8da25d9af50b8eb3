import { Type } from "typebox";
import { IdSchema, InstantSchema, orNull } from "./common.ts";
import { plain, secret } from "./marks.ts";

const made = { created_at: plain(InstantSchema) };
const kept = { ...made, updated_at: plain(InstantSchema) };
const text = plain(orNull(Type.String()));
const instant = plain(orNull(InstantSchema));

/** The directory's tables of who signs in. They hold people who work here, no customers: erasing leaves them alone. */
export const identityNouns = {
  directory_identities: Type.Object({
    id: plain(IdSchema),
    name: plain(Type.String()),
    email: plain(Type.String()),
    email_verified: plain(Type.Boolean()),
    image: text,
    two_factor: plain(Type.Boolean()),
    ...kept,
  }),
  directory_memberships: Type.Object({ identity: plain(IdSchema), user_id: plain(IdSchema), ...made }),
  directory_accounts: Type.Object({
    id: plain(IdSchema),
    identity: plain(IdSchema),
    provider: plain(Type.String()),
    account_id: plain(Type.String()),
    password: secret(orNull(Type.String({ description: "hashed" }))),
    access_token: secret(orNull(Type.String())),
    refresh_token: secret(orNull(Type.String())),
    id_token: secret(orNull(Type.String())),
    access_token_expires_at: instant,
    refresh_token_expires_at: instant,
    scope: text,
    ...kept,
  }),
  directory_sessions: Type.Object({
    id: plain(IdSchema),
    identity: plain(IdSchema),
    token: secret(Type.String({ description: "hashed" })),
    brief: plain(Type.Boolean()),
    expires_at: plain(InstantSchema),
    ip_address: text,
    user_agent: text,
    last_seen_at: plain(InstantSchema),
    ...kept,
  }),
  directory_verifications: Type.Object({
    id: plain(IdSchema),
    identifier: plain(Type.String({ description: "what is to be proven; with a code, that code's hash" })),
    value: plain(Type.String({ description: "by whom" })),
    expires_at: plain(InstantSchema),
    ...kept,
  }),
  directory_second_factors: Type.Object({
    id: plain(IdSchema),
    identity: plain(IdSchema),
    secret: secret(Type.String({ description: "sealed" })),
    backup_codes: secret(Type.String({ description: "hashed" })),
    verified: plain(Type.Boolean()),
    failed_verification_count: plain(Type.Integer()),
    locked_until: instant,
  }),
  directory_attempts: Type.Object({
    key: plain(Type.String({ description: "hashed" })),
    failures: plain(Type.Integer()),
    last_at: plain(InstantSchema),
    blocked_until: instant,
  }),
  directory_devices: Type.Object({
    hash: plain(Type.String()),
    identity: plain(IdSchema),
    last_used_at: plain(InstantSchema),
  }),
  directory_invitations: Type.Object({
    id: plain(IdSchema),
    user_id: plain(IdSchema),
    email: plain(Type.String()),
    hash: plain(Type.String()),
    mailed: plain(Type.Boolean()),
    invited_by: plain(orNull(IdSchema)),
    expires_at: plain(InstantSchema),
    accepted_at: instant,
    revoked_at: instant,
    ...made,
  }),
} as const;
