import { type Static, Type } from "typebox";
import { membersOf, namesOf } from "../../model/json.ts";
import { parseAddress } from "../../address/address.ts";
import { normalizeCountry } from "../../address/country.ts";
import { type Refusal, refuse } from "../../model/command.ts";
import { IdSchema, type Json, orNull, type Properties } from "../../model/common.ts";
import { type Customer, customerDefaults, type CustomerRow } from "../../model/customer.ts";
import { brief } from "../../text/characters.ts";
import { normalizeLocale } from "../../text/locale.ts";
import { isZone } from "../../time/zone.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { type Key, key } from "../keys.ts";
import { findUser, isRefusal } from "../naming.ts";
import { countProblem, propertyProblem, withProperties } from "../properties.ts";
import type { SettingsIndex } from "../settings-index.ts";
import { subscription } from "./subscription.ts";
import { customerErased, customerNotFound, takenBy, tell } from "./with-customer.ts";

const text = (maxLength: number) => Type.Optional(orNull(Type.String({ maxLength })));

const Input = Type.Object(
  {
    customer: Type.Optional(IdSchema),
    phone: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
    email: text(320),
    external_id: text(200),
    first_name: text(200),
    last_name: text(200),
    picture_url: text(2048),
    locale: text(35),
    timezone: text(64),
    zip_code: text(20),
    city: text(200),
    region: text(200),
    country: Type.Optional(orNull(Type.String({ maxLength: 50, description: "two letters of ISO 3166" }))),
    company: text(200),
    subscribed: Type.Optional(Type.Boolean()),
    assignee: Type.Optional(orNull(Type.String({ maxLength: 320, description: "id or e-mail address of a user" }))),
    properties: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100, description: "null takes one away" }),
    ),
  },
  { additionalProperties: false },
);
type UpsertInput = Static<typeof Input>;

/** The fields that are simply set. */
const plain = [
  "first_name",
  "last_name",
  "picture_url",
  "locale",
  "timezone",
  "zip_code",
  "city",
  "region",
  "country",
  "company",
] as const;

/** What a customer is found by, in this order, and the kind of address that it is. */
const identifiers = [
  { field: "phone", kind: "phone" },
  { field: "email", kind: "email" },
  { field: "external_id", kind: "external" },
] as const;

/** Finds a customer and changes what is given, or makes one. Properties are merged; a telephone number, once set, stays. */
export const upsertCustomer = defineCommand({
  type: "customer.upsert",
  summary: "Changes the customer of an id, telephone number, e-mail address or external id, or makes one",
  permission: "customers.write",
  target: null,
  action: true,
  events: [
    "customer.created",
    "customer.updated",
    "customer.property_set",
    "customer.property_deleted",
    "customer.subscribed",
    "customer.unsubscribed",
    "customer.assigned",
    "customer.unassigned",
  ],
  input: Input,
  prepare(input, settings) {
    const out = { ...input };
    if (input.external_id?.trim() === "")
      return refuse("invalid", "external_id_empty", "An external id has a character at least", "/external_id");
    for (const [field, kind] of [
      ["phone", "sms"],
      ["email", "email"],
    ] as const) {
      const given = input[field];
      if (given === undefined || given === null) continue;
      const address = parseAddress(kind, given);
      if (!address.ok) return refuse("invalid", address.code, address.message, `/${field}`);
      out[field] = address.address;
    }
    if (typeof input.timezone === "string" && !isZone(input.timezone)) {
      const message = `There is no time zone ${brief(input.timezone)}; one is named as "America/New_York"`;
      return refuse("invalid", "timezone_unknown", message, "/timezone");
    }
    if (typeof input.locale === "string") {
      const locale = normalizeLocale(input.locale);
      if (locale === null)
        return refuse(
          "invalid",
          "locale_invalid",
          `A locale is written as "en" or "pt-BR", not ${brief(input.locale)}`,
          "/locale",
        );
      out.locale = locale;
    }
    if (typeof input.country === "string") {
      const country = normalizeCountry(input.country);
      if (country === null) {
        const message = `A country is two letters of ISO 3166, such as "DE", not ${brief(input.country)}`;
        return refuse("invalid", "country_unknown", message, "/country");
      }
      out.country = country;
    }
    if (typeof input.assignee === "string") {
      const user = findUser(settings, input.assignee, "/assignee");
      if (isRefusal(user)) return user;
      out.assignee = user.id;
    }
    return out;
  },
  needs(input) {
    const keys: Key[] = given(input).map(({ kind, value }) => key.address(kind, value));
    return input.customer === undefined ? keys : [key.customer(input.customer), ...keys];
  },
  decide(input, draft) {
    const problem = inputProblem(input, draft.settings);
    if (problem !== null) return problem;
    const found = find(input, draft);
    if (isRefusal(found)) return found;
    const properties = withProperties(found?.properties ?? {}, (input.properties ?? {}) as Properties);
    const full = countProblem(properties, "/properties");
    if (full !== null) return full;
    return found === null ? create(input, draft, properties) : update(input, draft, found, properties);
  },
});

const given = (input: UpsertInput) =>
  identifiers.flatMap(({ field, kind }) => {
    const value = input[field];
    return value === undefined || value === null ? [] : [{ field, kind, value }];
  });

const pointer = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

function inputProblem(input: UpsertInput, settings: SettingsIndex): Refusal | null {
  if (typeof input.assignee === "string") {
    const user = findUser(settings, input.assignee, "/assignee");
    if (isRefusal(user)) return user;
  }
  for (const [name, value] of membersOf(input.properties ?? {})) {
    const problem = propertyProblem(settings, "customer", name, value as Json, `/properties/${pointer(name)}`);
    if (problem !== null) return problem;
  }
  return null;
}

/** The customer that is meant, null when there is none yet, or why it cannot be told. */
function find(input: UpsertInput, draft: Draft): CustomerRow | null | Refusal {
  const owned = given(input).map((each) => ({ ...each, owner: draft.ownerOf(each.kind, each.value) }));
  if (input.customer === undefined && owned.length === 0) {
    return refuse("invalid", "customer_unidentified", "A customer is named by id, phone, email or external_id");
  }
  const id = input.customer ?? owned.find(({ owner }) => owner !== null)?.owner ?? null;
  if (id === null) return null;
  const row = draft.customerOf(id);
  if (row === null) return customerNotFound();
  if (row.erased_at !== null) return customerErased();
  for (const { field, owner } of owned) {
    if (owner !== null && owner !== row.id) return takenBy(owner, field, `/${field}`);
    if (field === "phone" && owner === null && row.phone !== null) {
      return refuse("conflict", "phone_fixed", "A customer's telephone number cannot change to another", "/phone");
    }
  }
  return row;
}

function create(input: UpsertInput, draft: Draft, properties: Properties) {
  const { row, changes } = draft.createCustomer({
    ...fields(input, draft, null),
    ...(input.subscribed === false && subscription(customerDefaults, false, draft.at)),
    assignee: input.assignee ?? null,
    properties,
  });
  draft.emit("customer.created", { customer: row.id }, changes);
  return accept({ customer: row.id, created: true, changed: true });
}

/** Tells of each part by its own event, as workflows that wait for one must hear of it whoever set it. */
function update(input: UpsertInput, draft: Draft, row: CustomerRow, properties: Properties) {
  const patch = (input.properties ?? {}) as Properties;
  const set = namesOf(patch).filter((name) => patch[name] !== null);
  const gone = namesOf(patch).filter((name) => patch[name] === null);
  const kept = withProperties(
    row.properties,
    Object.fromEntries(membersOf(patch).filter(([, value]) => value !== null)),
  );
  const told = [
    tell(draft, row, "customer.updated", fields(input, draft, row)),
    tell(draft, row, "customer.property_set", { properties: kept }, { names: set }),
    tell(draft, row, "customer.property_deleted", { properties }, { names: gone }),
  ];
  if (input.subscribed !== undefined) {
    const type = input.subscribed ? "customer.subscribed" : "customer.unsubscribed";
    told.push(tell(draft, row, type, subscription(row, input.subscribed, draft.at)));
  }
  if (input.assignee !== undefined) {
    told.push(
      tell(draft, row, input.assignee === null ? "customer.unassigned" : "customer.assigned", {
        assignee: input.assignee,
      }),
    );
  }
  return accept({ customer: row.id, created: false, changed: told.includes(true) });
}

/** The plain fields that were given; an identifier under which the customer is found already changes nothing. */
function fields(input: UpsertInput, draft: Draft, row: CustomerRow | null): Partial<Customer> {
  const patch: Record<string, string | null> = {};
  for (const field of plain) if (input[field] !== undefined) patch[field] = input[field];
  for (const { field, kind } of identifiers) {
    const value = input[field];
    if (value === undefined || (row !== null && value !== null && draft.ownerOf(kind, value) === row.id)) continue;
    patch[field] = value;
  }
  return patch;
}
