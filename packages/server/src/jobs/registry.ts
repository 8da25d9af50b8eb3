import type { JobKind } from "./kind.ts";
import { changeConversations, changeCustomers } from "./kinds/change-many.ts";
import { exportConversations } from "./kinds/export-conversations.ts";
import { exportCustomer } from "./kinds/export-customer.ts";
import { exportCustomers } from "./kinds/export-customers.ts";
import { importCustomers } from "./kinds/import-customers.ts";
import { leaveBehind } from "./kinds/leave-behind.ts";
import { runWorkflow } from "./kinds/run-workflow.ts";

/** Every kind of job there is. A new one is a file in `kinds/`, named by its noun, and a line here. */
export const jobKinds: readonly JobKind[] = [
  changeConversations,
  changeCustomers,
  runWorkflow,
  importCustomers,
  exportCustomers,
  exportConversations,
  exportCustomer,
  leaveBehind,
];
