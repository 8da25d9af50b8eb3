/** The secret of a channel (Twilio: the auth token) is sealed for this place; whoever opens it names the same. */
export const channelSecretContext = (organization: string, channel: string): readonly string[] => [
  organization,
  channel,
  "provider_secret",
];
