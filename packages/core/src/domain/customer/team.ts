import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findTeam, isRefusal } from "../naming.ts";
import { change, customerInput, withCustomer } from "./with-customer.ts";

const input = Type.Object(
  { ...customerInput, team: Type.String({ maxLength: 64, description: "id or short name of the team" }) },
  { additionalProperties: false },
);

export const addCustomerToTeam = defineCommand({
  type: "customer.add_to_team",
  summary: "Adds a customer to a team",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.added_to_team"],
  input,
  prepare(given, settings) {
    const team = findTeam(settings, given.team);
    return isRefusal(team) ? team : { ...given, team: team.id };
  },
  needs: (given) => [key.customer(given.customer)],
  decide(given, draft) {
    const team = findTeam(draft.settings, given.team);
    if (isRefusal(team)) return team;
    return withCustomer(draft, given.customer, (row) => {
      const teams = row.teams.includes(team.id) ? row.teams : [...row.teams, team.id];
      return change(draft, row, "customer.added_to_team", { teams });
    });
  },
});

/** An archived team can be left, so only its name must be known. */
export const removeCustomerFromTeam = defineCommand({
  type: "customer.remove_from_team",
  summary: "Takes a customer out of a team",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.removed_from_team"],
  input,
  prepare(given, settings) {
    const team = settings.team(given.team);
    return team === null
      ? refuse("not_found", "team_not_found", "There is no such team", "/team")
      : { ...given, team: team.id };
  },
  needs: (given) => [key.customer(given.customer)],
  decide: (given, draft) =>
    withCustomer(draft, given.customer, (row) =>
      change(draft, row, "customer.removed_from_team", { teams: row.teams.filter((team) => team !== given.team) }),
    ),
});
