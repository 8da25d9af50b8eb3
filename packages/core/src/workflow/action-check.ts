import type { TSchema } from "typebox";
import type { AnyCommand } from "../domain/define.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Refusal } from "../model/command.ts";
import { didYouMean } from "../text/nearest.ts";
import { isLiquid } from "../template/text.ts";
import { referencePath } from "../template/value.ts";
import type { ActionDocument, TriggerDocument } from "./document.ts";
import { error, pointer, type Problem, warning } from "./problem.ts";
import { referenceProblem, settingsNounOf } from "./references.ts";
import { type Mismatch, mismatches, objectMismatches } from "./schema-check.ts";
import { knows } from "./subjects.ts";

/** What an action step is checked against. */
export interface ActionContext {
  readonly commands: ReadonlyMap<string, AnyCommand>;
  readonly settings: SettingsIndex | null;
  /** the workflow's triggers; null where a person or another workflow starts it, for any subject */
  readonly triggers: readonly TriggerDocument[] | null;
}

const inputCodes = { unknown: "unknown_field", missing: "missing_field", invalid: "invalid_input" } as const;

/** What is wrong with an action step, as far as it is written down: what is read from the scope is checked at run. */
export function actionProblems(step: ActionDocument, base: string, context: ActionContext): Problem[] {
  const definition = context.commands.get(step.action);
  if (definition === undefined) {
    const actions = [...context.commands.values()].filter((one) => one.action).map((one) => one.type);
    const message = `There is no action "${step.action}"${didYouMean(step.action, actions)}`;
    return [error("action_unknown", `${base}/action`, message)];
  }
  if (!definition.action) {
    return [error("action_unknown", `${base}/action`, `"${step.action}" is a command that a workflow cannot issue`)];
  }
  const input = step.input ?? {};
  const path = `${base}/input`;
  const dynamic = dynamicPaths(input, path);
  const problems = objectMismatches(definition.input, input, path)
    .filter(
      (one) => !(one.kind === "missing" && one.path === `${path}/${definition.target}`) && !fromScope(one, dynamic),
    )
    .map((one) => error(inputCodes[one.kind], one.path, one.message));
  problems.push(...targetProblems(definition, input, base, context.triggers));
  if (context.settings === null) return problems;
  problems.push(...fieldReferences(definition, input, path, context.settings));
  if (problems.some((one) => one.severity === "error") || dynamic.length > 0) return problems;
  return [...problems, ...preparedProblems(definition, input, path, context.settings)];
}

/** Where an input is a Liquid text or reference, as JSON pointers. */
function dynamicPaths(json: unknown, path: string): string[] {
  if (typeof json === "string") return isLiquid(json) ? [path] : [];
  if (typeof json !== "object" || json === null) return [];
  if (referencePath(json) !== null) return [path];
  return Object.entries(json).flatMap(([key, item]) => dynamicPaths(item, pointer(path, key)));
}

/** Whether a mismatch rests on what only a run can tell. */
function fromScope(one: Mismatch, dynamic: readonly string[]): boolean {
  return dynamic.some(
    (path) => one.path.startsWith(`${path}/`) || (one.kind === "invalid" && `${path}/`.startsWith(`${one.path}/`)),
  );
}

function targetProblems(
  definition: AnyCommand,
  input: object,
  base: string,
  triggers: readonly TriggerDocument[] | null,
): Problem[] {
  const { target } = definition;
  if (target === null || triggers === null || Object.hasOwn(input, target)) return [];
  if (!(definition.input.required ?? []).includes(target)) return [];
  const known = knows(triggers, target);
  if (known === "always") return [];
  const at = `${base}/input/${target}`;
  return known === "never"
    ? [error("target_missing", at, `The workflow's subject has no ${target}: name the one that is meant`)]
    : [warning("target_missing", at, `Not every trigger brings a ${target}: name the one that is meant`)];
}

/** Static names in fields that are called after a noun of the settings. */
function fieldReferences(definition: AnyCommand, input: object, path: string, settings: SettingsIndex): Problem[] {
  return Object.entries(input).flatMap(([field, value]) => {
    const noun = settingsNounOf(field);
    const schema = definition.input.properties[field];
    if (noun === null || schema === undefined || mismatches(schema, value, "").length > 0) return [];
    const names: [string, unknown][] = Array.isArray(value)
      ? value.map((item, at) => [pointer(pointer(path, field), at), item])
      : [[pointer(path, field), value]];
    return names.flatMap(([at, name]) =>
      typeof name !== "string" || isLiquid(name) || isFixedWord(schema, name)
        ? []
        : referenceProblem(settings, noun, name, at),
    );
  });
}

/** Whether a schema names the word itself, as in "a user's id or nobody". */
function isFixedWord(schema: { readonly const?: unknown; readonly anyOf?: readonly TSchema[] }, word: string): boolean {
  return schema.const === word || (schema.anyOf ?? []).some((one) => isFixedWord(one, word));
}

const somebody = "00000000-0000-7000-8000-000000000000";

/** What the command itself says to an input that is written down whole: it finds the names that no field gives away. */
function preparedProblems(definition: AnyCommand, input: object, path: string, settings: SettingsIndex): Problem[] {
  if (definition.prepare === undefined) return [];
  const whole = definition.target === null ? input : { [definition.target]: somebody, ...input };
  const answer = definition.prepare(whole as never, settings) as Refusal | { readonly ok?: unknown };
  if (answer.ok !== false) return [];
  const refusal = answer as Refusal;
  const code = refusal.kind === "not_found" ? "reference_dangling" : "invalid_input";
  return [error(code, path + (refusal.path ?? ""), refusal.message)];
}
