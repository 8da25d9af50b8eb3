import {
  attributesAt,
  fieldKinds,
  oneOf,
  operatorNames,
  operators,
  orNull,
  refuse,
  triggerNamed,
  valueTypes,
} from "@threadmill/core";
import { Type } from "typebox";
import { type Route, route } from "../../http/route.ts";

const operator = oneOf(operatorNames);
const AttributeSchema = Type.Object(
  {
    path: Type.String({ description: "as conditions, texts and references name it: `customer.properties.plan`" }),
    label: Type.String(),
    group: Type.String({ description: "what it belongs to, in words" }),
    type: orNull(oneOf(fieldKinds, "null where it may hold anything")),
    operators: Type.Array(operator, { description: "those that fit it here" }),
    choices: orNull(
      Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: "the only values there are; null where it may hold others",
      }),
    ),
    refers_to: orNull(
      oneOf(["user", "team", "mailbox", "channel", "calendar"] as const, "the settings whose ids it holds"),
    ),
    lazy: Type.Boolean({ description: "whether reading it takes a look into the database, when something first does" }),
  },
  { title: "Attribute" },
);
const OperatorSchema = Type.Object(
  {
    name: operator,
    label: Type.String(),
    phrase: Type.String({ description: "a sentence with {field} and {value}" }),
    value: oneOf(valueTypes, "what stands on its right side"),
    exact: Type.Boolean({ description: "whether `exact` means something: capitals and accents then count" }),
  },
  { title: "Operator" },
);
const known = operatorNames.map((name) => {
  const { label, phrase, value, exact = false } = operators[name];
  return { name, label, phrase, value, exact };
});

/** What there is to name where somebody builds a workflow. */
export function attributeRoutes(): Route[] {
  return [
    route({
      method: "GET",
      tag: "Workflows",
      permission: "workflows.read",
      url: "/attributes",
      summary: "Lists what a workflow's conditions and texts can name",
      description: [
        "By the trigger's condition, or in a step: the fields of the nouns, the organization's own properties and calendars,",
        "and what the trigger's event brings. What is not listed is a problem where a workflow is checked, except what lies",
        "within a field of no known type. A step also reads `inputs` by their names, and `steps` by their ids.",
      ].join(" "),
      query: Type.Object({
        trigger: Type.Optional(
          Type.String({
            maxLength: 1000,
            description:
              "an event's type, such as `message.received`, or what a time trigger counts from, such as `conversation.waiting_since`; for a step several, with commas between, or none where people or other workflows start the workflow",
          }),
        ),
        in: Type.Optional(
          oneOf(["condition", "step"] as const, "where it is read: in the trigger's condition (default), or in a step"),
        ),
      }),
      answer: Type.Object({
        attributes: Type.Array(AttributeSchema),
        operators: Type.Array(OperatorSchema, { description: "all there are, by name" }),
      }),
      async handle({ query, settings }) {
        const names = query.trigger === undefined ? [] : query.trigger.split(",");
        const triggers = names.flatMap((name) => triggerNamed(name) ?? []);
        const unknown = names.find((name) => triggerNamed(name) === null);
        if (unknown !== undefined)
          return refuse("invalid", "trigger_unknown", `There is no event and no instant "${unknown}"`, "/trigger");
        const [trigger] = triggers;
        const step = query.in === "step";
        if (!step && (trigger === undefined || triggers.length > 1))
          return refuse("invalid", "trigger_missing", "A condition is that of one trigger: name it", "/trigger");
        const vantage = step || trigger === undefined ? { triggers } : { trigger };
        const attributes = attributesAt(vantage, await settings());
        return { attributes: attributes as never, operators: known };
      },
    }),
  ];
}
