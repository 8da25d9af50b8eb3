import type { Permission, Refusal } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { TObject, TProperties } from "typebox";
import type { Caller } from "../../http/auth.ts";
import type { Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";

/** What every settings row has. */
export interface SettingsRow {
  readonly id: string;
  readonly archived_at: string | null;
}

/** A settings row by column, for what treats all kinds alike. */
export type Row = Readonly<Record<string, unknown>> & SettingsRow;

/** Where a check or consequence takes place: in the transaction of the change, with the lane held. */
export interface ChangeContext<R extends SettingsRow = Row> {
  readonly tx: PoolClient;
  readonly place: Place;
  readonly at: string;
  /** the row before the change; null when it is being made */
  readonly before: R | null;
  /** the fields as they were given, secrets in the clear */
  readonly given: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}

/** All that is particular to one kind of settings; list, get, create, update and archive follow from it. `R` is its row. */
export interface Resource<R extends SettingsRow = Row> {
  /** as events and codes name it */
  readonly noun: string;
  /** its table, and its place below /api/v2 */
  readonly plural: string;
  /** the right that changing one needs; default: settings.write */
  readonly permission?: Permission;
  /** Which of them may be seen, where that goes by mailboxes; the others are not there for who asks. */
  readonly seen?: (row: R, mailboxes: readonly string[] | null) => boolean;
  /** as the API shows it */
  readonly shape: TObject;
  /** the fields a new one is made from; those without a default and not optional are required */
  readonly create: TProperties;
  /** the fields that can be changed later */
  readonly update: TProperties;
  /** what a new one has where nothing is given, by column */
  readonly defaults: Partial<R>;
  /** columns that together are unique among the live rows; the code of a clash is `<last>_taken` */
  readonly unique: readonly (keyof R & string)[];
  /** columns of type jsonb */
  readonly json: readonly (keyof R & string)[];
  /** whether a short name is made from the name when none is given */
  readonly slugged: boolean;
  /** Turns given fields into columns, such as secrets into sealed ones. */
  readonly columns?: (
    given: Readonly<Record<string, unknown>>,
    id: string,
    place: Place,
    before: R | null,
  ) => Readonly<Record<string, unknown>>;
  /** What making or changing one means for others, where that is to be known before. */
  readonly effect?: string;
  /** What the API shows of a row; without it, the fields of the shape. Nothing else of a row ever leaves the house. */
  readonly show?: (row: R) => Readonly<Record<string, unknown>>;
  /** What stands against a row as it is about to be. */
  readonly check?: (row: R, context: ChangeContext<R>) => Promise<Refused | null> | Refused | null;
  /** What stands against archiving. */
  readonly checkArchive?: (row: R, context: ChangeContext<R>) => Promise<Refusal | null>;
  /** What must be written beside it. */
  readonly after?: (row: R, context: ChangeContext<R>) => Promise<void>;
}

/**
 * Declares a resource; keeps the type of its row for its own checks. Beyond them all kinds are treated alike: a row that
 * was read, or whose fields have passed the schema, has the columns that its type says.
 */
export const resource = <R extends SettingsRow>(facts: Resource<R>): Resource => facts as unknown as Resource;

/** A row as the API shows it. */
export function shown(resource: Resource, row: Row): { readonly id: string; readonly [name: string]: unknown } {
  const own = resource.show?.(row) ?? {};
  const fields = Object.keys(resource.shape.properties).map((name) => [name, name in own ? own[name] : row[name]]);
  return Object.fromEntries(fields);
}
