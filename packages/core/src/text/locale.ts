/** BCP 47: language, script, region, variants, extensions, private use; grandfathered tags are not taken. */
const form =
  /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?)$/i;

/**
 * A locale in its usual spelling: "en", "pt-BR", "zh-Hant-TW"; "en_us" is read as "en-US". Null for what is none by its
 * form; whether anybody speaks it is not asked.
 */
export function normalizeLocale(text: string): string | null {
  const match = form.exec(text.trim().replaceAll("_", "-"));
  if (match === null) return null;
  const [, language = "", script, region, rest = ""] = match;
  return [
    language.toLowerCase(),
    script === undefined ? "" : `-${script.slice(0, 1).toUpperCase()}${script.slice(1).toLowerCase()}`,
    region === undefined ? "" : `-${region.toUpperCase()}`,
    rest.toLowerCase(),
  ].join("");
}
