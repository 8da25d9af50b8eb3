import { CustomerSchema } from "@threadmill/core";
import { shownColumns } from "../columns.ts";
import type { Tables } from "../tables.ts";

/** The logged columns of a customer: what the engine keeps for itself is not shown. */
export const customerColumns = shownColumns<Tables["customers"]>(CustomerSchema);
