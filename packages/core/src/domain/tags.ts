import { Type } from "typebox";
import { type Refusal, refuse } from "../model/command.ts";

/** How many tags a customer, conversation or message may carry, and how long one may be. */
export const maxTags = 100;
const maxTagLength = 100;

/** The input field of every command that adds or takes off tags. */
export const TagsInput = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: maxTags });

const fold = (tag: string): string => tag.toLowerCase();

/** Tags as they are kept: trimmed, each once whatever its case, in the order given. */
export function cleanTags(tags: readonly string[]): readonly string[] | Refusal {
  const found = new Map<string, string>();
  for (const [index, raw] of tags.entries()) {
    const tag = raw.trim();
    if (tag === "" || tag.length > maxTagLength || /\p{Cc}/u.test(tag)) {
      return refuse(
        "invalid",
        "tag_invalid",
        `A tag has 1 to ${maxTagLength} characters and no control characters`,
        `/tags/${index}`,
      );
    }
    if (!found.has(fold(tag))) found.set(fold(tag), tag);
  }
  return [...found.values()];
}

/** `prepare` of every command with tags. */
export function prepareTags<T extends { readonly tags: string[] }>(input: T): T | Refusal {
  const tags = cleanTags(input.tags);
  return "ok" in tags ? tags : { ...input, tags };
}

/** The tags with more of them; those it has keep their case and place. */
export function withTags(tags: readonly string[], added: readonly string[]): readonly string[] {
  const has = new Set(tags.map(fold));
  return [...tags, ...added.filter((tag) => !has.has(fold(tag)))];
}

/** The tags without some of them, whatever their case. */
export function withoutTags(tags: readonly string[], removed: readonly string[]): readonly string[] {
  const gone = new Set(removed.map(fold));
  return tags.filter((tag) => !gone.has(fold(tag)));
}

/** Why these are too many tags, or null. */
export function tagsProblem(tags: readonly string[]): Refusal | null {
  return tags.length <= maxTags
    ? null
    : refuse("limited", "too_many_tags", `There may be ${maxTags} tags at most`, "/tags");
}
