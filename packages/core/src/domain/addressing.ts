import { type AddressKind, addressKindOf, otherPrefix } from "../address/sender.ts";
import { type Refusal, refuse } from "../model/command.ts";
import type { Customer } from "../model/customer.ts";
import type { ChannelKind } from "../model/settings.ts";
import { key } from "./keys.ts";

/** Who is meant by an address of a channel: a kind and what the channel's own way of writing it leaves. */
export function identityOf(
  channel: ChannelKind,
  address: string,
): { readonly kind: AddressKind; readonly value: string } {
  const kind = addressKindOf(channel, address);
  // another's words for a sender are one sender on one kind of channel only
  if (kind === "other") return { kind, value: `${channel}:${address.slice(otherPrefix.length)}` };
  const prefix = channel === "whatsapp" || channel === "messenger" ? `${channel}:` : "";
  return { kind, value: prefix !== "" && address.startsWith(prefix) ? address.slice(prefix.length) : address };
}

/** Why nobody can write to an address, or null: a name that stands for a sender is no place to write to. */
export function unanswerable(channel: ChannelKind, address: string, path: string): Refusal | null {
  const kind = addressKindOf(channel, address);
  if (kind !== "alphanumeric" && kind !== "other") return null;
  const name = kind === "other" ? address.slice(otherPrefix.length) : address;
  const message = `${name} is what a sender calls itself and no address: it cannot be answered`;
  return refuse("conflict", "sender_unanswerable", message, path);
}

/** The key under which the owner of a channel's address is found. */
export function addressKey(channel: ChannelKind, address: string): string {
  const { kind, value } = identityOf(channel, address);
  return key.address(kind, value);
}

/** The fields that make a customer found under an address of a channel, beside the addresses that they have. */
export function customerFieldFor(
  channel: ChannelKind,
  address: string,
  customer: Pick<Customer, "phone" | "email" | "handles"> = { phone: null, email: null, handles: [] },
): Partial<Customer> {
  const { kind, value } = identityOf(channel, address);
  if (kind === "phone" && customer.phone === null) return { phone: value };
  if (kind === "email" && customer.email === null) return { email: value };
  return { handles: [...customer.handles, `${kind}:${value}`] };
}

/** Where a customer can be written to on a kind of channel, as that channel writes it; null when nowhere. */
export function addressOn(channel: ChannelKind, customer: Customer): string | null {
  const kind = channel === "sms" || channel === "whatsapp" ? "phone" : channel;
  const handle = (of: AddressKind): string | undefined =>
    customer.handles.find((each) => each.startsWith(`${of}:`))?.slice(of.length + 1);
  const first = kind === "phone" ? customer.phone : kind === "email" ? customer.email : null;
  const value = first ?? handle(kind) ?? (channel === "sms" ? handle("short_code") : undefined) ?? null;
  return value === null || (channel !== "whatsapp" && channel !== "messenger") ? value : `${channel}:${value}`;
}

/** What a customer takes over from one that is merged into it; what does not fit a field becomes a handle. */
export function mergedAddresses(
  target: Customer,
  source: Customer,
): Pick<Customer, "phone" | "email" | "external_id" | "handles"> {
  const handles = [...target.handles, ...source.handles];
  const take = (kind: string, mine: string | null, theirs: string | null): string | null => {
    if (mine !== null && theirs !== null) handles.push(`${kind}:${theirs}`);
    return mine ?? theirs;
  };
  return {
    phone: take("phone", target.phone, source.phone),
    email: take("email", target.email, source.email),
    external_id: take("external", target.external_id, source.external_id),
    handles: [...new Set(handles)],
  };
}
