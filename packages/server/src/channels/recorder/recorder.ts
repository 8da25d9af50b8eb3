import { channelKinds } from "@threadmill/core";
import { Type } from "typebox";
import { addressProblem } from "../own-address.ts";
import type { Capabilities, ProviderKind } from "../provider.ts";
import { recorderProvider } from "./provider.ts";

const everything: Capabilities = {
  media: 20,
  subject: true,
  html: true,
  headers: true,
  attachments: true,
  threads: true,
  typing: true,
};

/** The provider of every new channel and of every sandbox. */
export const recorder: ProviderKind = {
  name: "recorder",
  title: "Recorder",
  about:
    "Keeps what would be sent, for people and tests to see (`GET /api/v2/deliveries`). Nothing leaves the house. A channel of it takes the settings and secrets of another provider and hears its callbacks, so that everything can be tried before the first message is sent.",
  serves: Object.fromEntries(channelKinds.map((kind) => [kind, everything])),
  keys: true,
  settings: Type.Object({}, { additionalProperties: false }),
  secrets: {},
  destination: () => null,
  addressProblem,
  callbacks: [],
  rehearses: true,
  open: ({ pool }) => recorderProvider(pool),
};
