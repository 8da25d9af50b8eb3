import type { Letter } from "../mail/mail.ts";

/** The letters about signing in: plain text, for they are read in any program, and nothing in them is loaded. */
export const letters = {
  invitation: (to: string, organization: string, link: string): Letter => ({
    to,
    subject: `You are invited to ${oneLine(organization)}`,
    text: `You are invited to work in ${oneLine(organization)} with Threadmill.\n\nOpen this link within 14 days to accept:\n\n${link}\n\nIf you did not expect this, do nothing.\n`,
  }),
  reset: (to: string, link: string): Letter => ({
    to,
    subject: "Set a new password",
    text: `Somebody, probably you, asked for a new password.\n\nOpen this link within an hour to set one:\n\n${link}\n\nIf it was not you, do nothing: your password stays as it is.\n`,
  }),
  email: (to: string, link: string): Letter => ({
    to,
    subject: "Confirm your e-mail address",
    text: `Open this link within a day to sign in with this address from now on:\n\n${link}\n\nIf you did not ask for it, do nothing.\n`,
  }),
  emailChanged: (to: string, now: string): Letter => ({
    to,
    subject: "Your e-mail address was changed",
    text: `You sign in with ${now} from now on.\n\nIf it was not you, tell whoever runs Threadmill at once.\n`,
  }),
  passwordChanged: (to: string): Letter => ({
    to,
    subject: "Your password was changed",
    text: "Your password was set anew, and all your sessions were ended.\n\nIf it was not you, tell whoever runs Threadmill at once.\n",
  }),
} as const;

/** A name that somebody gave is one line of a letter, and not the rest of it. */
const oneLine = (text: string): string => text.replace(/\s+/g, " ").slice(0, 100);
