import { refuse } from "@threadmill/core";
import type { TObject } from "typebox";
import Compile, { type Validator } from "typebox/compile";
import type { ProviderKind, ProviderSettings } from "../../channels/provider.ts";
import type { Refused } from "../../http/route.ts";
import { itemsOf } from "../../http/validation.ts";

const validators = new WeakMap<TObject, Validator>();

function validatorOf(schema: TObject): Validator {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const made: Validator = Compile(schema);
  validators.set(schema, made);
  return made;
}

/**
 * What stands against a channel's settings under the schemas of whoever serves it. One that takes them is enough; else the
 * complaints are those of the last, which is never the one that only rehearses where another serves the channel too.
 */
export function settingsProblem(serving: readonly ProviderKind[], settings: ProviderSettings): Refused | null {
  const complaints = serving.map(({ settings: schema }) => {
    const validator = validatorOf(schema);
    return validator.Check(settings) ? [] : itemsOf(validator.Errors(settings));
  });
  const items = complaints.at(-1) ?? [];
  const [first] = items.map((item) => ({ ...item, path: `/provider_settings${item.path}` }));
  if (first === undefined || complaints.some((each) => each.length === 0)) return null;
  const problems = items.map((item) => ({ ...item, path: `/provider_settings${item.path}` }));
  return { ...refuse("invalid", first.code, first.message, first.path), problems };
}
