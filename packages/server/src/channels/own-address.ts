import { type ChannelKind, parseAddress, type Refusal, refuse } from "@threadmill/core";

/** Our own address is handed to a provider as it stands in the settings, so it must be written in full. */
export function addressProblem(kind: ChannelKind, address: string): Refusal | null {
  const parsed = parseAddress(kind, address);
  if (!parsed.ok) return refuse("invalid", parsed.code, parsed.message, "/address");
  if (parsed.address === address || parsed.address === `${kind}:${address}`) return null;
  return refuse("invalid", "address_not_normal", `Write the address as ${parsed.address}`, "/address");
}
