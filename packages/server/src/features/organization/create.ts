import { defaultLimits } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import { transaction } from "../../db/transaction.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { newToken } from "../../secrets/token.ts";
import { insertToken } from "../tokens/store.ts";

/** What a new organization is to be. */
export interface NewOrganization {
  readonly name: string;
  readonly zone?: string;
  readonly sandbox?: boolean;
  /** the first token's text; made when not given */
  readonly token?: string;
  /** the lane to live in; the emptiest when not given */
  readonly lane?: number;
}

export interface CreatedOrganization {
  readonly id: string;
  readonly lane: number;
  readonly owner: string;
  readonly mailbox: string;
  readonly channels: { readonly api: string; readonly sms: string };
  /** shown once; only its hash is kept */
  readonly token: string;
}

/**
 * Creates an organization that works at once: an owner with a token, the robot user that acts for workflows, a mailbox,
 * and a channel each for the API and for SMS, both with the provider that records instead of sending.
 */
export function createOrganization(pool: Pool, wanted: NewOrganization): Promise<CreatedOrganization> {
  return transaction(pool, (tx) => createWithin(tx, wanted));
}

/** The same within a transaction of the caller's. */
export async function createWithin(tx: PoolClient, wanted: NewOrganization): Promise<CreatedOrganization> {
  const [id, owner, robot, mailbox, api, sms] = Array.from({ length: 6 }, () => freshId()) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const token = wanted.token ?? newToken();
  const lane = wanted.lane ?? (await emptiestLane(tx));
  await tx.query("insert into directory_organizations (id, lane, name) values ($1, $2, $3)", [id, lane, wanted.name]);
  await tx.query(
    "insert into organizations (lane, organization, name, zone, sandbox, limits, workflow_user) values ($1, $2, $3, $4, $5, $6, $7)",
    [lane, id, wanted.name, wanted.zone ?? "UTC", wanted.sandbox ?? false, JSON.stringify(defaultLimits), robot],
  );
  await tx.query(
    `insert into users (lane, organization, id, kind, role, name)
values ($1, $2, $3, 'person', 'owner', 'Owner'), ($1, $2, $4, 'robot', 'robot', 'Workflow')`,
    [lane, id, owner, robot],
  );
  await tx.query("insert into mailboxes (lane, organization, id, slug, name) values ($1, $2, $3, 'inbox', 'Inbox')", [
    lane,
    id,
    mailbox,
  ]);
  await tx.query(
    `insert into channels (lane, organization, id, slug, name, kind, mailbox)
values ($1, $2, $3, 'api', 'API', 'api', $5), ($1, $2, $4, 'sms', 'SMS', 'sms', $5)`,
    [lane, id, api, sms, mailbox],
  );
  await tx.query("insert into directory_channels (channel, organization, lane) values ($1, $3, $4), ($2, $3, $4)", [
    api,
    sms,
    id,
    lane,
  ]);
  const at = new Date().toISOString();
  await insertToken(tx, { lane, organization: id }, { token, user: owner, name: "First token", at });
  return { id, lane, owner, mailbox, channels: { api, sms }, token };
}

/** The lane with the fewest organizations; the lowest of those. */
async function emptiestLane(tx: { query: Pool["query"] }): Promise<number> {
  const { rows } = await tx.query<{ lane: number }>(
    `select l.lane from lanes l left join directory_organizations o on o.lane = l.lane
group by l.lane order by count(o.id), l.lane limit 1`,
  );
  return (rows[0] as { lane: number }).lane;
}
