import Compile, { type Validator } from "typebox/compile";
import { type Command, type Refusal, refuse } from "../model/command.ts";
import type { Json } from "../model/common.ts";
import { assignConversation, unassignConversation } from "./conversation/assignee.ts";
import { leaveBehind } from "./conversation/left-behind.ts";
import { mergeConversation } from "./conversation/merge.ts";
import { moveConversation } from "./conversation/move.ts";
import { setConversationProperty } from "./conversation/property.ts";
import { startConversation } from "./conversation/start.ts";
import {
  closeConversation,
  markSpam,
  openConversation,
  setPending,
  snoozeConversation,
} from "./conversation/status.ts";
import { addConversationTags, removeConversationTags } from "./conversation/tags.ts";
import { setTopic } from "./conversation/topic.ts";
import { addCustomerAddress, makeAddressPrimary, removeCustomerAddress } from "./customer/address.ts";
import { assignCustomer, unassignCustomer } from "./customer/assignee.ts";
import { closeCustomer } from "./customer/close.ts";
import { eraseCustomer } from "./customer/erase.ts";
import { mergeCustomer } from "./customer/merge.ts";
import { addCustomerNote, editCustomerNote, removeCustomerNote } from "./customer/note.ts";
import { deleteCustomerProperty, setCustomerProperty } from "./customer/property.ts";
import { subscribeCustomer, unsubscribeCustomer } from "./customer/subscription.ts";
import { addCustomerTags, removeCustomerTags } from "./customer/tags.ts";
import { addCustomerToTeam, removeCustomerFromTeam } from "./customer/team.ts";
import { upsertCustomer } from "./customer/upsert.ts";
import type { AnyCommand } from "./define.ts";
import { retryEffect } from "./effect/retry.ts";
import type { Key } from "./keys.ts";
import { recordDelivery } from "./message/delivery.ts";
import { noteMessage } from "./message/note.ts";
import { receiveMessage } from "./message/receive.ts";
import { sendMessage } from "./message/send.ts";
import { tagMessage, untagMessage } from "./message/tags.ts";
import { resolveParked } from "./parked/resolve.ts";
import { retryParked } from "./parked/retry.ts";
import { cancelRun } from "./run/cancel.ts";
import { startRun } from "./run/start.ts";
import type { SettingsIndex } from "./settings-index.ts";
import { setPresence } from "./user/presence.ts";

/** Every command there is. A new one is a file and a line here. */
const definitions = [
  upsertCustomer,
  addCustomerAddress,
  removeCustomerAddress,
  makeAddressPrimary,
  setCustomerProperty,
  deleteCustomerProperty,
  subscribeCustomer,
  unsubscribeCustomer,
  assignCustomer,
  unassignCustomer,
  addCustomerToTeam,
  removeCustomerFromTeam,
  addCustomerTags,
  removeCustomerTags,
  addCustomerNote,
  editCustomerNote,
  removeCustomerNote,
  closeCustomer,
  mergeCustomer,
  eraseCustomer,
  startConversation,
  openConversation,
  closeConversation,
  setPending,
  markSpam,
  snoozeConversation,
  assignConversation,
  unassignConversation,
  leaveBehind,
  setTopic,
  addConversationTags,
  removeConversationTags,
  setConversationProperty,
  moveConversation,
  mergeConversation,
  receiveMessage,
  sendMessage,
  noteMessage,
  tagMessage,
  untagMessage,
  recordDelivery,
  setPresence,
  startRun,
  cancelRun,
  retryEffect,
  resolveParked,
  retryParked,
] as readonly AnyCommand[];

export const commands: ReadonlyMap<string, AnyCommand> = new Map(
  definitions.map((definition) => [definition.type, definition]),
);

// compiled at first use: the edge checks HTTP bodies itself, so only workflow steps come through here
const validators = new WeakMap<AnyCommand, Validator>();

/** Checks an input against the command's schema and brings it to its normal form; what comes back may be decided. */
export function prepare(
  type: string,
  input: unknown,
  settings: SettingsIndex,
): { readonly ok: true; readonly input: Command["input"] } | Refusal {
  const definition = commands.get(type);
  if (definition === undefined) return refuse("invalid", "command_unknown", `There is no command ${type}`, "/type");
  let validator = validators.get(definition);
  if (validator === undefined) validators.set(definition, (validator = Compile(definition.input)));
  if (!validator.Check(input)) {
    const [first] = validator.Errors(input);
    return refuse("invalid", "invalid_input", first?.message ?? "does not fit", first?.instancePath ?? "");
  }
  if (definition.prepare === undefined) return { ok: true, input: input as Command["input"] };
  const prepared = definition.prepare(input as never, settings);
  return "ok" in (prepared as object) && (prepared as { ok: unknown }).ok === false
    ? (prepared as Refusal)
    : { ok: true, input: prepared as Record<string, Json> };
}

/** The bundles that a prepared command reads first. */
export function needsOf(command: Command, settings: SettingsIndex): readonly Key[] {
  return commands.get(command.type)?.needs(command.input as never, settings) ?? [];
}
