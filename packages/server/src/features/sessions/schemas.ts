import { IdSchema, InstantSchema, orNull } from "@threadmill/core";
import { Type } from "typebox";
import { passwordLength } from "../../identity/engine.ts";

export const EmailSchema = Type.String({ minLength: 3, maxLength: 320, description: "e-mail address" });
export const PasswordSchema = Type.String({ minLength: 1, maxLength: passwordLength.most });
export const NewPasswordSchema = Type.String({
  minLength: passwordLength.least,
  maxLength: passwordLength.most,
  description: `${passwordLength.least} to ${passwordLength.most} characters of any kind`,
});
export const LinkTokenSchema = Type.String({ maxLength: 200, description: "what stands behind # in the link" });
export const NameSchema = Type.String({ minLength: 1, maxLength: 200 });
export const CodeSchema = Type.String({ pattern: "^[0-9]{6}$", description: "what the authenticator shows" });
export const RecoveryCodeSchema = Type.String({ minLength: 8, maxLength: 60 });

/** How a sign-in stands after what was sent. */
export const SignInStateSchema = Type.Object(
  {
    status: Type.Union([Type.Literal("signed_in"), Type.Literal("second_factor")]),
    methods: Type.Optional(Type.Array(Type.String(), { description: "what the second factor may be" })),
  },
  { title: "SignInState" },
);
export const DoneSchema = Type.Object({ status: Type.Literal("done") }, { title: "Done" });
export const done = { status: "done" } as const;

/** A session as its person sees it. */
export const SessionSchema = Type.Object(
  {
    id: IdSchema,
    current: Type.Boolean({ description: "the one that asks" }),
    created_at: InstantSchema,
    last_seen_at: Type.Union([InstantSchema], { description: "to within some minutes" }),
    expires_at: InstantSchema,
    address: orNull(Type.String()),
    browser: orNull(Type.String()),
  },
  { title: "Session" },
);

/** An object without other fields. */
export const closed = <P extends Parameters<typeof Type.Object>[0]>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
