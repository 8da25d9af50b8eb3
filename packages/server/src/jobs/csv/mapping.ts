import { commands, type Json, type SettingsIndex } from "@threadmill/core";
import { Type } from "typebox";

/** The fields of a customer that a column may fill: all that `customer.upsert` takes, but those that are no texts of one cell. */
export const targetFields: readonly string[] = Object.keys(
  commands.get("customer.upsert")?.input.properties ?? {},
).filter((field) => field !== "properties");

/** Where the cells of each column go: a field, `property:<name>`, or null for nowhere. */
export const MappingSchema = Type.Array(Type.Union([Type.String({ minLength: 1, maxLength: 110 }), Type.Null()]), {
  minItems: 1,
  maxItems: 500,
  description: "for each column a field of a customer, `property:` and a property's name, or null",
});
export type Mapping = readonly (string | null)[];

const prefix = "property:";

/** What a mapping has that none may have, in words; null when it is fine. */
export function mappingProblem(mapping: Mapping): string | null {
  const seen = new Set<string>();
  for (const target of mapping) {
    if (target === null) continue;
    if (!targetFields.includes(target) && !(target.startsWith(prefix) && target.length > prefix.length))
      return `There is no field ${target}; a property is written as property:name`;
    if (seen.has(target)) return `Two columns cannot both be ${target}`;
    seen.add(target);
  }
  if (!["customer", "phone", "email", "external_id"].some((field) => seen.has(field)))
    return "A column has to tell whom a row is about: customer, phone, email or external_id";
  return null;
}

/** Words by which columns are known, beside the fields' own names. */
const known: Readonly<Record<string, string>> = {
  phonenumber: "phone",
  mobile: "phone",
  mobilephone: "phone",
  telephone: "phone",
  tel: "phone",
  cell: "phone",
  telefon: "phone",
  emailaddress: "email",
  mail: "email",
  id: "external_id",
  customerid: "external_id",
  firstname: "first_name",
  givenname: "first_name",
  vorname: "first_name",
  lastname: "last_name",
  surname: "last_name",
  familyname: "last_name",
  nachname: "last_name",
  zip: "zip_code",
  postcode: "zip_code",
  postalcode: "zip_code",
  plz: "zip_code",
  language: "locale",
  state: "region",
  province: "region",
  organization: "company",
  town: "city",
};

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");

/** What the columns may be meant for, by their names; null where nothing comes to mind. */
export function suggestMapping(columns: readonly string[], settings: SettingsIndex): (string | null)[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    const name = plain(column);
    const field = targetFields.find((each) => plain(each) === name && each !== "customer") ?? known[name];
    const property = settings.all.properties.find(
      (each) =>
        each.noun === "customer" &&
        each.archived_at === null &&
        (plain(each.name) === name || plain(each.label ?? "") === name),
    );
    const target = field ?? (property === undefined ? null : `${prefix}${property.name}`);
    if (target === null || taken.has(target)) return null;
    taken.add(target);
    return target;
  });
}

const yes = new Set(["true", "yes", "y", "1", "on", "ja", "x"]);
const no = new Set(["false", "no", "n", "0", "off", "nein"]);

/** A cell as a truth value; what is none stays a text, and is refused as one. */
const truthOf = (cell: string): Json =>
  yes.has(cell.toLowerCase()) ? true : no.has(cell.toLowerCase()) ? false : cell;

function propertyValue(name: string, cell: string, settings: SettingsIndex): Json {
  switch (settings.property("customer", name)?.type) {
    case "number":
      return /^[+-]?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
    case "boolean":
      return truthOf(cell);
    case "choices":
    case "list":
      return cell
        .split(/[;|]/)
        .map((each) => each.trim())
        .filter((each) => each !== "");
    default:
      return cell;
  }
}

/** A row as what `customer.upsert` takes. Empty cells change nothing. */
export function inputOf(
  record: readonly string[],
  mapping: Mapping,
  settings: SettingsIndex,
): { readonly [field: string]: Json } {
  const input: { [field: string]: Json } = {};
  const properties: { [name: string]: Json } = {};
  for (const [n, target] of mapping.entries()) {
    const cell = record[n]?.trim() ?? "";
    if (target === null || cell === "") continue;
    if (target.startsWith(prefix)) {
      const name = target.slice(prefix.length);
      properties[name] = propertyValue(name, cell, settings);
    } else input[target] = target === "subscribed" ? truthOf(cell) : cell;
  }
  return Object.keys(properties).length === 0 ? input : { ...input, properties };
}
