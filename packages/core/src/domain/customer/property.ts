import { Type } from "typebox";
import type { Json } from "../../model/common.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { countProblem, propertyOf, propertyProblem, PropertyName, withProperties } from "../properties.ts";
import { customerInput, tell, withCustomer } from "./with-customer.ts";

/** Sets one property. The answer holds what stood there before; the event's `names` says which property it was. */
export const setCustomerProperty = defineCommand({
  type: "customer.set_property",
  summary: "Sets a property of a customer; null takes it away",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.property_set", "customer.property_deleted"],
  input: Type.Object({ ...customerInput, name: PropertyName, value: Type.Unknown() }, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      const value = input.value as Json;
      const properties = withProperties(row.properties, { [input.name]: value });
      const problem =
        propertyProblem(draft.settings, "customer", input.name, value, "/value") ?? countProblem(properties, "/name");
      if (problem !== null) return problem;
      const type = value === null ? "customer.property_deleted" : "customer.property_set";
      const changed = tell(draft, row, type, { properties }, { names: [input.name] });
      return accept({ customer: row.id, changed, before: propertyOf(row.properties, input.name) });
    }),
});

/** Takes one property away; one that is not there changes nothing, and is no refusal. */
export const deleteCustomerProperty = defineCommand({
  type: "customer.delete_property",
  summary: "Takes a property of a customer away",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.property_deleted"],
  input: Type.Object({ ...customerInput, name: PropertyName }, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      const patch = { properties: withProperties(row.properties, { [input.name]: null }) };
      const changed = tell(draft, row, "customer.property_deleted", patch, { names: [input.name] });
      return accept({ customer: row.id, changed, name: input.name, value: propertyOf(row.properties, input.name) });
    }),
});
