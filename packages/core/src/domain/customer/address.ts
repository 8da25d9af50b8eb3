import { Type } from "typebox";
import { parseAddress } from "../../address/address.ts";
import { type AddressKind, addressKinds } from "../../address/sender.ts";
import { type Refusal, refuse } from "../../model/command.ts";
import { oneOf } from "../../model/common.ts";
import type { Customer } from "../../model/customer.ts";
import type { ChannelKind } from "../../model/settings.ts";
import { accept, defineCommand } from "../define.ts";
import { identitiesOf } from "../derived.ts";
import { key } from "../keys.ts";
import { change, customerInput, takenBy, withCustomer } from "./with-customer.ts";

/** How many addresses a customer has at most beside the three that have fields of their own. */
export const maxHandles = 100;

type Kind = AddressKind | "external";

/** Kinds whose first address stands in a field of its own; the others of the kind are handles. */
const fields = { phone: "phone", email: "email", external: "external_id" } as const;
type Primary = keyof typeof fields;
const fieldOf = (kind: Kind): (typeof fields)[Primary] | null => (kind in fields ? fields[kind as Primary] : null);

/** The channel whose way of writing an address is that of its kind; the rest are kept as they are written. */
const channels: Partial<Record<Kind, ChannelKind>> = {
  phone: "sms",
  email: "email",
  messenger: "messenger",
  chat: "chat",
  api: "api",
};

const address = Type.String({ minLength: 1, maxLength: 320 });
const anyKind = [...addressKinds, "external"] as const;

/** Brings an address to the form under which its kind is found. */
function prepare<I extends { readonly kind: Kind; readonly address: string }>(input: I): I | Refusal {
  const text = input.address.trim();
  if (text === "") return refuse("invalid", "address_empty", "An address has a character at least", "/address");
  const channel = channels[input.kind];
  if (channel === undefined) return { ...input, address: text };
  const answer = parseAddress(channel, text);
  if (!answer.ok) return refuse("invalid", answer.code, answer.message, "/address");
  const prefix = `${channel}:`;
  return {
    ...input,
    address: answer.address.startsWith(prefix) ? answer.address.slice(prefix.length) : answer.address,
  };
}

const Added = Type.Object(
  {
    ...customerInput,
    kind: oneOf(["phone", "email", "external", "messenger", "chat", "api"]),
    address,
  },
  { additionalProperties: false },
);
const Held = Type.Object({ ...customerInput, kind: oneOf(anyKind), address }, { additionalProperties: false });
const Primary = Type.Object(
  { ...customerInput, kind: oneOf(["phone", "email", "external"]), address },
  { additionalProperties: false },
);

/** One more way to reach a customer, or to know them by: the first of its kind is the one that is used. */
export const addCustomerAddress = defineCommand({
  type: "customer.add_address",
  summary: "Gives a customer another address",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.address_added"],
  input: Added,
  prepare,
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      const owner = draft.ownerOf(input.kind, input.address);
      if (owner === row.id) return accept({ customer: row.id, changed: false });
      if (owner !== null) return takenBy(owner, "address", "/address");
      const field = fieldOf(input.kind);
      if (field !== null && row[field] === null)
        return change(draft, row, "customer.address_added", { [field]: input.address });
      if (row.handles.length >= maxHandles) {
        const message = `A customer has ${maxHandles} addresses at most beside the first of their kinds`;
        return refuse("limited", "too_many_addresses", message, "/address");
      }
      const handles = [...row.handles, `${input.kind}:${input.address}`];
      return change(draft, row, "customer.address_added", { handles });
    }),
});

/** What comes from the address afterwards is a stranger's. The next address of its kind takes the place of a first one. */
export const removeCustomerAddress = defineCommand({
  type: "customer.remove_address",
  summary: "Takes an address from a customer",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.address_removed"],
  input: Held,
  prepare,
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      const handles = row.handles.filter((handle) => handle !== `${input.kind}:${input.address}`);
      const field = fieldOf(input.kind);
      if (field === null || row[field] !== input.address)
        return change(draft, row, "customer.address_removed", { handles });
      return change(draft, row, "customer.address_removed", nextOf(input.kind, field, handles));
    }),
});

/** What takes the place of a kind's first address. */
function nextOf(kind: Kind, field: (typeof fields)[Primary], handles: readonly string[]): Partial<Customer> {
  const next = handles.find((handle) => handle.startsWith(`${kind}:`));
  return {
    [field]: next === undefined ? null : next.slice(kind.length + 1),
    handles: handles.filter((handle) => handle !== next),
  };
}

/** The first of a kind is where a customer is written to. Unlike an upsert, this may change a telephone number. */
export const makeAddressPrimary = defineCommand({
  type: "customer.make_address_primary",
  summary: "Makes one of a customer's addresses the first of its kind",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.address_made_primary"],
  input: Primary,
  prepare,
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      const field = fields[input.kind];
      const name = `${input.kind}:${input.address}`;
      if (!identitiesOf(row).includes(name))
        return refuse("not_found", "address_not_found", "The customer has no such address", "/address");
      const first = row[field];
      if (first === input.address) return accept({ customer: row.id, changed: false });
      // the one that was first stays where the new one stood
      const handles = row.handles.flatMap((handle) => {
        if (handle !== name) return [handle];
        return first === null ? [] : [`${input.kind}:${first}`];
      });
      return change(draft, row, "customer.address_made_primary", { [field]: input.address, handles });
    }),
});
