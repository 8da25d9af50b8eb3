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
import { derived, personal, plain } from "./marks.ts";
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
  readonly city: string | null;
  /** the state, province or region of the address; `state` is the customer's own */
  readonly region: string | null;
  /** two letters of ISO 3166 */
  readonly country: string | null;
  readonly company: string | null;
  readonly subscribed: boolean;
  /** since when they want messages, where they asked for them; null: from the beginning, or not */
  readonly subscribed_at: Instant | null;
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
  city: null,
  region: null,
  country: null,
  company: null,
  subscribed: true,
  subscribed_at: null,
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
    id: plain(IdSchema),
    phone: personal(orNull(Type.String({ description: "E.164" }))),
    email: personal(orNull(Type.String())),
    external_id: personal(orNull(Type.String())),
    handles: personal(Type.Array(Type.String())),
    first_name: personal(orNull(Type.String())),
    last_name: personal(orNull(Type.String())),
    picture_url: personal(orNull(Type.String())),
    locale: personal(orNull(Type.String())),
    timezone: personal(orNull(Type.String())),
    zip_code: personal(orNull(Type.String())),
    city: personal(orNull(Type.String())),
    region: personal(orNull(Type.String({ description: "state, province or region of the address" }))),
    country: personal(orNull(Type.String({ description: "two letters of ISO 3166" }))),
    company: personal(orNull(Type.String())),
    subscribed: plain(Type.Boolean()),
    subscribed_at: plain(orNull(InstantSchema)),
    unsubscribed_at: plain(orNull(InstantSchema)),
    assignee: plain(orNull(IdSchema)),
    teams: plain(Type.Array(IdSchema)),
    tags: personal(Type.Array(Type.String())),
    properties: personal(PropertiesSchema),
    state: derived(oneOf(customerStates)),
    open_conversations: derived(Type.Integer()),
    unreplied_conversations: derived(Type.Integer()),
    merged_into: plain(orNull(IdSchema)),
    erased_at: plain(orNull(InstantSchema)),
    created_at: plain(InstantSchema),
    updated_at: derived(InstantSchema),
  },
  { title: "Customer" },
);
