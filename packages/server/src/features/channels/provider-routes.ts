import { Type } from "typebox";
import { registry as everyProvider, type Registry } from "../../channels/registry.ts";
import { type Route, route } from "../../http/route.ts";

const JsonSchema = Type.Object({}, { description: "a JSON schema" });
const Capabilities = Type.Object({
  media: Type.Integer(),
  subject: Type.Boolean(),
  html: Type.Boolean(),
  headers: Type.Boolean(),
  attachments: Type.Boolean(),
  threads: Type.Boolean(),
  typing: Type.Boolean(),
});
const Provider = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    about: Type.String(),
    keys: Type.Boolean({ description: "whether it takes a key of ours, so that nothing is sent twice" }),
    settings: JsonSchema,
    secrets: Type.Array(Type.Object({ field: Type.String(), about: Type.String() })),
    callbacks: Type.Array(Type.Object({ field: Type.String(), about: Type.String() })),
    serves: Type.Record(Type.String(), Capabilities, { description: "what it carries, by kind of channel" }),
  },
  { title: "Provider" },
);

/** What there is to choose from when a channel is set up. */
export function providerRoutes(registry: Registry = everyProvider): Route[] {
  return [
    route({
      method: "GET",
      url: "/providers",
      tag: "Settings",
      summary: "Lists the providers that channels can have, with what each needs and carries",
      permission: "settings.read",
      answer: Type.Object({ items: Type.Array(Provider) }, { title: "Providers" }),
      handle: async () => ({
        items: registry.all.map(({ name, title, about, keys, settings, secrets, callbacks, serves }) => ({
          name,
          title,
          about,
          keys,
          settings,
          secrets: Object.entries(secrets).map(([field, secret]) => ({ field, about: secret.about })),
          callbacks: callbacks.map((each) => ({ field: each.field, about: each.about })),
          serves,
        })),
      }),
    }),
  ];
}
