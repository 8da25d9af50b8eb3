import {
  type Actor,
  type Json,
  type PropertyDefinition,
  type PropertyType,
  refuse,
  typeOfValue,
} from "@threadmill/core";
import type { PoolClient } from "pg";
import type { AppPorts } from "../../http/ports.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import type { Place } from "../../lanes/port.ts";
import { insertRow } from "../settings/store.ts";
import { workflowsFollow } from "../workflows/consequences.ts";
import { properties, propertyDefaults, propertyName } from "./properties.ts";

type Noun = PropertyDefinition["noun"];

/** Which properties were set by whom, of which some may be unknown. */
export interface Given {
  readonly place: Place;
  readonly actor: Actor;
  readonly noun: Noun;
  readonly values: { readonly [name: string]: Json };
}

/** Defines the properties among those that were given that nobody knows; answers their names. */
export type DefineUnknown = (given: Given) => Promise<readonly string[]>;

/**
 * Makes definitions of properties that a command set and nobody defined, each of its value's type. A definition is a
 * setting, and no batch changes settings, so this is a change of its own behind the command, once that was accepted:
 * what is refused defines nothing, and where the process dies between the two the value stands without a definition,
 * which it may, until it is set again. A name that was archived stays so: somebody took it away on purpose. Names that no
 * document could write, and values that are of no type, such as objects, stay undefined.
 */
export function unknownDefiner({ engine }: Pick<AppPorts, "engine">): DefineUnknown {
  return async ({ place, actor, noun, values }) => {
    const { all } = await engine.settings(place);
    const known = new Set(all.properties.filter((row) => row.noun === noun).map((row) => row.name.toLowerCase()));
    const wanted: Wanted[] = Object.entries(values).flatMap(([name, value]) => {
      const type = typeOfValue(value);
      return type === null || known.has(name.toLowerCase()) || !propertyName.test(name) ? [] : [{ name, type }];
    });
    const defined: string[] = [];
    for (const { name, type } of wanted) {
      const answer = await engine.changeSettings(place, actor, async (tx, at) => {
        // the settings of this process may be older than the lane's
        if (await exists(tx, place, noun, name)) return refuse("conflict", "name_taken", "It is defined by now");
        const row = { ...propertyDefaults, id: freshId(Date.parse(at)), noun, name, type, archived_at: null };
        const after = await insertRow(tx, properties, place, row, at);
        const consequences = await workflowsFollow({ tx, place, at, noun: properties.noun, before: null, after });
        return { noun: properties.noun, id: row.id, before: null, after: row, result: { name }, consequences };
      });
      if (answer.ok) defined.push(name);
    }
    return defined;
  };
}

interface Wanted {
  readonly name: string;
  readonly type: PropertyType;
}

/** Whether there is, or was, such a property, whatever its capitals. */
async function exists(tx: PoolClient, { lane, organization }: Place, noun: Noun, name: string): Promise<boolean> {
  const { rows } = await tx.query(
    "select 1 from properties where lane = $1 and organization = $2 and noun = $3 and lower(name) = lower($4) limit 1",
    [lane, organization, noun, name],
  );
  return rows.length > 0;
}
