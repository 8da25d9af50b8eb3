import { Type } from "typebox";
import {
  type Id,
  IdSchema,
  type Instant,
  InstantSchema,
  oneOf,
  orNull,
  type Properties,
  PropertiesSchema,
} from "./common.ts";
import type { Watch } from "./watch.ts";

export const customerStates = ["unreplied", "replied", "closed"] as const;
export type CustomerState = (typeof customerStates)[number];

/** The logged columns of a customer: folding the log gives exactly these (MILL law 12). */
export interface Customer {
  readonly id: Id;
  readonly phone: string | null;
  readonly email: string | null;
  readonly external_id: string | null;
  /** other addresses, as "kind:address" */
  readonly handles: readonly string[];
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly picture_url: string | null;
  readonly locale: string | null;
  readonly timezone: string | null;
  readonly zip_code: string | null;
  readonly subscribed: boolean;
  readonly unsubscribed_at: Instant | null;
  readonly assignee: Id | null;
  readonly teams: readonly Id[];
  readonly tags: readonly string[];
  readonly properties: Properties;
  /** follows from the conversations: unreplied when one waits for us, closed when none is open */
  readonly state: CustomerState;
  readonly open_conversations: number;
  readonly unreplied_conversations: number;
  readonly merged_into: Id | null;
  readonly erased_at: Instant | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

/** A customer as it stands in its table: the logged columns and those the engine keeps for itself. */
export interface CustomerRow extends Customer, Watch {}

export const customerDefaults: Omit<CustomerRow, "id" | "created_at" | "updated_at"> = {
  phone: null,
  email: null,
  external_id: null,
  handles: [],
  first_name: null,
  last_name: null,
  picture_url: null,
  locale: null,
  timezone: null,
  zip_code: null,
  subscribed: true,
  unsubscribed_at: null,
  assignee: null,
  teams: [],
  tags: [],
  properties: {},
  state: "closed",
  open_conversations: 0,
  unreplied_conversations: 0,
  merged_into: null,
  erased_at: null,
  wake_at: null,
  fired: {},
  guards: null,
};

/** A customer as the API shows it. */
export const CustomerSchema = Type.Object(
  {
    id: IdSchema,
    phone: orNull(Type.String({ description: "E.164" })),
    email: orNull(Type.String()),
    external_id: orNull(Type.String()),
    handles: Type.Array(Type.String()),
    first_name: orNull(Type.String()),
    last_name: orNull(Type.String()),
    picture_url: orNull(Type.String()),
    locale: orNull(Type.String()),
    timezone: orNull(Type.String()),
    zip_code: orNull(Type.String()),
    subscribed: Type.Boolean(),
    unsubscribed_at: orNull(InstantSchema),
    assignee: orNull(IdSchema),
    teams: Type.Array(IdSchema),
    tags: Type.Array(Type.String()),
    properties: PropertiesSchema,
    state: oneOf(customerStates),
    open_conversations: Type.Integer(),
    unreplied_conversations: Type.Integer(),
    merged_into: orNull(IdSchema),
    erased_at: orNull(InstantSchema),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  },
  { title: "Customer" },
);
