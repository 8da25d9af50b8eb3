import type { Authenticator } from "../http/auth.ts";
import type { AppPorts } from "../http/ports.ts";
import type { PublicRoute } from "../http/public-routes.ts";
import type { Route } from "../http/route.ts";
import type { SigningIn } from "../identity/signing-in.ts";
import { emailRoutes } from "./account/email-routes.ts";
import { accountRoutes } from "./account/routes.ts";
import { securityRoutes } from "./account/security-routes.ts";
import { calendars } from "./calendars/calendars.ts";
import { channels } from "./channels/channels.ts";
import { providerRoutes } from "./channels/provider-routes.ts";
import { commandHttpRoutes } from "./commands/routes.ts";
import { commandDoor } from "./commands/door.ts";
import { commandSubmitter } from "./commands/submit.ts";
import { ownConversationRoutes } from "./conversations/own-routes.ts";
import { conversationRoutes } from "./conversations/routes.ts";
import { customerRoutes } from "./customers/routes.ts";
import { replyDraftRoutes } from "./drafts/routes.ts";
import { eventRoutes } from "./events/routes.ts";
import { folderConversationRoutes } from "./folders/conversations.ts";
import { folderRoutes } from "./folders/routes.ts";
import { importRoutes } from "./jobs/import-routes.ts";
import { jobFileRoutes } from "./jobs/file-routes.ts";
import { acceptRoutes } from "./invitations/accept-routes.ts";
import { invitationRoutes } from "./invitations/routes.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { liveRoutes } from "./live/routes.ts";
import { mailboxes } from "./mailboxes/mailboxes.ts";
import { meRoutes } from "./me/routes.ts";
import { messageRoutes } from "./messages/routes.ts";
import { operationRoutes } from "./operations/routes.ts";
import { organizationRoutes } from "./organization/routes.ts";
import { unknownDefiner } from "./properties/define.ts";
import { properties } from "./properties/properties.ts";
import { roles } from "./roles/roles.ts";
import { runRoutes } from "./runs/routes.ts";
import { savedReplyRoutes } from "./saved-replies/routes.ts";
import { segments } from "./segments/segments.ts";
import { recoveryRoutes } from "./sessions/recovery-routes.ts";
import { setupRoutes } from "./sessions/setup-routes.ts";
import { signInRoutes } from "./sessions/sign-in-routes.ts";
import { singleSignOnRoutes } from "./sessions/single-sign-on-routes.ts";
import { type Change, settingsChanger } from "./settings/change.ts";
import { resourceRoutes } from "./settings/resource-routes.ts";
import { statsRoutes } from "./stats/routes.ts";
import { teams } from "./teams/teams.ts";
import { tokenRoutes } from "./tokens/routes.ts";
import { presenceRoutes } from "./users/presence-routes.ts";
import { users } from "./users/users.ts";
import { attributeRoutes } from "./workflows/attribute-routes.ts";
import { draftRoutes } from "./workflows/draft-routes.ts";
import { workflowReadRoutes } from "./workflows/read-routes.ts";
import { stateRoutes } from "./workflows/state-routes.ts";

/** Every route of the native API. */
export function features(ports: AppPorts, auth: Authenticator, signing: SigningIn): Route[] {
  const door = commandDoor(ports);
  const changer = settingsChanger(ports);
  const change: Change = async (call, fn) => {
    const answer = await changer(call, fn);
    door.forget(call.place);
    return answer;
  };
  const resources = [users, roles, teams, mailboxes, channels(ports), calendars, properties, segments];
  return [
    ...meRoutes(),
    ...accountRoutes(signing),
    ...securityRoutes(signing),
    ...emailRoutes(signing),
    ...invitationRoutes(signing),
    ...tokenRoutes(ports, change, auth),
    ...organizationRoutes(ports, change),
    ...resources.flatMap((resource) => resourceRoutes(resource, ports, change)),
    ...providerRoutes(),
    ...commandHttpRoutes(commandSubmitter(ports), door, unknownDefiner(ports)),
    ...customerRoutes(ports),
    ...conversationRoutes(ports),
    ...messageRoutes(ports),
    ...ownConversationRoutes(ports),
    ...folderRoutes(ports),
    ...folderConversationRoutes(ports),
    ...replyDraftRoutes(ports),
    ...savedReplyRoutes(ports),
    ...workflowReadRoutes(ports),
    ...attributeRoutes(),
    ...draftRoutes(ports, change),
    ...stateRoutes(change),
    ...runRoutes(ports),
    ...eventRoutes(ports),
    ...operationRoutes(ports),
    ...statsRoutes(ports),
    ...jobRoutes(ports),
    ...liveRoutes(ports),
    ...importRoutes(ports),
    ...jobFileRoutes(ports),
    ...presenceRoutes(ports),
  ];
}

/** Every route for those who have not signed in. */
export function publicFeatures(signing: SigningIn): PublicRoute[] {
  return [
    ...signInRoutes(signing),
    ...setupRoutes(signing),
    ...recoveryRoutes(signing),
    ...acceptRoutes(signing),
    ...singleSignOnRoutes(signing),
  ];
}
