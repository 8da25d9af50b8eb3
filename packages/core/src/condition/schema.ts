import { Type, type Static } from "typebox";
import { operatorNames } from "./operators.ts";

/** What a condition may be at most. */
export const conditionLimits = {
  /** groups inside groups */
  depth: 20,
  clauses: 500,
} as const;

/** How a clause goes over the items of a list; without it, `any`. */
export const matchWords = ["any", "all", "none"] as const;
export type MatchWord = (typeof matchWords)[number];

/** A reference `{ "ref": "steps.lookup.customer.id" }`, or by steps where a name holds dots. */
export const ReferenceSchema = Type.Object(
  {
    ref: Type.Union([
      Type.String(),
      Type.Array(Type.Union([Type.String(), Type.Integer({ minimum: 0 })]), { minItems: 1 }),
    ]),
  },
  { additionalProperties: false },
);

export const ClauseSchema = Type.Object(
  {
    field: Type.Union([Type.String({ description: "path such as customer.properties.plan" }), ReferenceSchema]),
    op: Type.Enum(operatorNames),
    value: Type.Optional(Type.Unknown({ description: "a literal, a Liquid text or a reference" })),
    exact: Type.Optional(Type.Boolean({ description: "whether capitals count; without it they do not" })),
    match: Type.Optional(Type.Enum([...matchWords])),
  },
  { additionalProperties: false },
);

/** The document form of a condition. Depth and number of clauses are checked by `compileCondition`. */
export const ConditionSchema = Type.Cyclic(
  {
    Condition: Type.Union([
      ClauseSchema,
      Type.Object({ all: Type.Array(Type.Ref("Condition")) }, { additionalProperties: false }),
      Type.Object({ any: Type.Array(Type.Ref("Condition"), { minItems: 1 }) }, { additionalProperties: false }),
      Type.Object({ not: Type.Ref("Condition") }, { additionalProperties: false }),
    ]),
  },
  "Condition",
);

export type Clause = Static<typeof ClauseSchema>;
export type ConditionDocument = Static<typeof ConditionSchema>;
