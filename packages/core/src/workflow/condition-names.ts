import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Json } from "../model/common.ts";
import { isLiquid } from "../template/text.ts";
import { pointer, type Problem } from "./problem.ts";
import { referenceProblem, type SettingsReference, settingsNounOf } from "./references.ts";
import { isObject } from "./schema-check.ts";

const ownField = /^(?:conversation|customer|message)\.([a-z]+)$/;

/**
 * A condition with the short names of teams, mailboxes, users ... replaced by the ids that rows hold, so that documents
 * can say `conversation.team is "billing"`. Names that stand for nothing stay and are reported. The shape stays, and so
 * do the paths of all else that is wrong with it.
 */
export function resolveNames(json: Json, settings: SettingsIndex, path: string, problems: Problem[]): Json {
  if (Array.isArray(json))
    return json.map((one, at) => resolveNames(one as Json, settings, pointer(path, at), problems));
  if (!isObject(json)) return json;
  const noun = typeof json.field === "string" ? settingsNounOf(ownField.exec(json.field)?.[1] ?? "") : null;
  const entries = Object.entries(json).map(([key, item]): [string, Json] => {
    const at = pointer(path, key);
    if (key === "all" || key === "any" || key === "not") return [key, resolveNames(item, settings, at, problems)];
    return [key, noun !== null && key === "value" ? resolveValue(item, noun, settings, at, problems) : item];
  });
  return Object.fromEntries(entries);
}

function resolveValue(
  value: Json,
  noun: SettingsReference,
  settings: SettingsIndex,
  path: string,
  problems: Problem[],
): Json {
  if (Array.isArray(value))
    return value.map((one, at) => resolveValue(one as Json, noun, settings, pointer(path, at), problems));
  if (typeof value !== "string" || value === "" || isLiquid(value)) return value;
  problems.push(...referenceProblem(settings, noun, value, path));
  return settings[noun](value)?.id ?? value;
}
