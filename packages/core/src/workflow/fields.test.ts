import { expect, test } from "vitest";
import { fieldTypes, isUnknownField } from "./fields.ts";
import { settings } from "../testing/documents.ts";

test("types come from the rows' schemas and the property definitions", () => {
  const typeOf = fieldTypes(settings);
  expect(typeOf("conversation.team")).toBe("id");
  expect(typeOf("conversation.status")).toBe("text");
  expect(typeOf("conversation.waiting_since")).toBe("date");
  expect(typeOf("conversation.inbound_count")).toBe("number");
  expect(typeOf("customer.subscribed")).toBe("boolean");
  expect(typeOf("customer.tags")).toBe("list");
  expect(typeOf("message.media[0].url")).toBeUndefined();
  expect(typeOf("customer.properties.plan")).toBe("text");
  expect(typeOf("customer.properties.age")).toBe("number");
  expect(typeOf("customer.properties.age.more")).toBeUndefined();
  expect(typeOf("customer.properties.other")).toBeUndefined();
  expect(typeOf("customer.nothing")).toBeUndefined();
  expect(typeOf("event.type")).toBe("text");
  expect(typeOf("event.data")).toBeUndefined();
  expect(typeOf("team.members")).toBe("list");
  expect(typeOf("calendar.office.open")).toBeUndefined();
  expect(typeOf("customer[0]")).toBeUndefined();
  expect(fieldTypes(null)("customer.properties.plan")).toBeUndefined();
});

test("only rows whose fields are known have unknown fields", () => {
  expect(isUnknownField(["customer", "nme"])).toBe(true);
  expect(isUnknownField(["customer", "constructor"])).toBe(true);
  expect(isUnknownField(["customer"])).toBe(false);
  expect(isUnknownField(["constructor", "x"])).toBe(false);
});
