export type { Accepted, Command, Refusal, RefusalKind } from "./model/command.ts";
export { refuse } from "./model/command.ts";
export type { Id, Instant, Json, Ref } from "./model/common.ts";
export { idSchema, IdSchema, InstantSchema, oneOf, orNull } from "./model/common.ts";
export type { Conversation, ConversationRow } from "./model/conversation.ts";
export { conversationDefaults, ConversationSchema, conversationStatuses } from "./model/conversation.ts";
export type { Customer, CustomerRow } from "./model/customer.ts";
export { customerDefaults, CustomerSchema, customerStates } from "./model/customer.ts";
export { type DeliverPayload, DeliverPayloadSchema } from "./model/deliver.ts";
export type { Effect, EffectRow, Outcome } from "./model/effect.ts";
export type { Actor, Cause, Change, Event, LoggedTable, Refs } from "./model/event.ts";
export { loggedTables } from "./model/event.ts";
export { blank, fieldsMarked, markOf, unmarked } from "./model/marks.ts";
export { nouns, settingsNouns, worldNouns } from "./model/nouns.ts";
export type { KeptItem, Parked } from "./model/parked.ts";
export type { Message } from "./model/message.ts";
export { deliveries, directions, messageDefaults, MessageSchema } from "./model/message.ts";
export type { Reason, Run, RunStatus, StepResult, Waiting } from "./model/run.ts";
export type { Note } from "./model/note.ts";
export { NoteSchema } from "./model/note.ts";
export { type Segment, SegmentSchema } from "./model/segment.ts";
export { RunHeadSchema, RunSchema, runStatuses } from "./model/run.ts";
export type {
  Calendar,
  Channel,
  ChannelKind,
  Limits,
  Mailbox,
  Organization,
  PropertyDefinition,
  PropertyType,
  Role,
  RoleScope,
  Settings,
  SettingsNoun,
  Team,
  User,
} from "./model/settings.ts";
export {
  channelKinds,
  defaultLimits,
  mailboxAccess,
  propertyTypes,
  reopenPolicies,
  roles,
  roleScopes,
  settingsSchemas,
  unknownOutcomePolicies,
  userKinds,
} from "./model/settings.ts";
export { addressKey } from "./domain/addressing.ts";
export { blankChange, blankData, blankFields } from "./domain/blank.ts";
export { definitionProblem, typeOfValue } from "./domain/property-definition.ts";
export { apply, decide, notPermitted } from "./domain/decide.ts";
export type { AnyCommand, Target } from "./domain/define.ts";
export { eventTypes, type EventType, isEventType } from "./domain/events.ts";
export { type PresenceStatus, presenceStatuses, statusOf } from "./domain/user/availability.ts";
export { memberFields } from "./domain/members.ts";
export { key, type Key, rowTables, type RowTable, splitKey, tableOf, type View, views } from "./domain/keys.ts";
export { Ledger, Missing, type World } from "./domain/ledger.ts";
export { type MergePreview, previewCustomerMerge, type PreviewSight } from "./domain/customer/merge-preview.ts";
export { isPermission, type Permission, permissionFacts, permissions } from "./domain/permissions.ts";
export { mailboxesOf, type Rights, teamsOf } from "./domain/rights.ts";
export { beyond, builtInRoles, type Grants, grantsOf, grantsOfRole, isBuiltIn } from "./domain/roles.ts";
export { everywhere, isEverywhere, nowhere, type Reach, reaches, type Standpoint } from "./domain/reach.ts";
export { commands, needsOf, prepare } from "./domain/registry.ts";
export { logVersion, upgradeChange } from "./domain/log-version.ts";
export { applyChange, type Row, rowDefaults } from "./domain/rows.ts";
export { indexSettings, type SettingsIndex } from "./domain/settings-index.ts";
export { type ActiveWorkflows, type PublishedWorkflow, Workflows } from "./match/active.ts";
export { type Check, explainMatch, matches, type MatchExplained, subjectOfEvent, type Verdict } from "./match/match.ts";
export { explainTime, matchesTime, type TimeQuestion, type TimeVerdict, type Watched } from "./match/time.ts";
export { process } from "./mill/process.ts";
export { rootOf } from "./mill/item.ts";
export { emptyScope } from "./template/scope.ts";
export type { Config, Item, Leftover, Output, Poisoned, Receipt, Reply } from "./mill/types.ts";
export type { CompiledVersion, VersionBody, VersionHead } from "./workflow/compiled.ts";
export { findBadText } from "./text/unicode.ts";
export { smsSegments } from "./text/segments.ts";
export { isOpen as isCalendarOpen } from "./time/calendar.ts";
export { type BusinessCalendar, BusinessCalendarSchema } from "./time/calendar-shape.ts";
export { validateCalendar } from "./time/calendar-check.ts";
export { idInstant, firstIdAt, isId } from "./id/id.ts";
export { canonicalJson, contentHash } from "./id/canonical.ts";
export { parseAddress } from "./address/address.ts";
export { parseSender } from "./address/sender.ts";
export type { Comparand } from "./condition/operand.ts";
export { fold } from "./condition/operand.ts";
export type { Ordered } from "./condition/moment.ts";
export { type ConditionDocument, ConditionSchema } from "./condition/schema.ts";
export { type Path as FieldPath } from "./template/path.ts";
export {
  type Filter,
  type FilterClause,
  type FilterNode,
  type FilterResult,
  type FilterSubject,
  readFilter,
} from "./workflow/filter.ts";
export { readSavedText, type SavedText } from "./workflow/saved-text.ts";
export { type Attribute, attributesAt, triggerNamed, type Vantage } from "./workflow/attributes.ts";
export type { SettingsReference } from "./workflow/references.ts";
export { fieldKinds, type FieldType, type ValueType, valueTypes } from "./condition/operator.ts";
export { isOperatorName, type OperatorName, operatorNames, operators } from "./condition/operators.ts";
export { type BodyResult, compileBody } from "./workflow/body.ts";
export { compileVersion, type StoredVersion } from "./workflow/compile.ts";
export { compileHead, type StoredHead, UnreadableVersion } from "./workflow/head.ts";
export { Surroundings } from "./workflow/linked.ts";
export { validateWorkflow } from "./workflow/validate.ts";
export { isInstant } from "./time/instant.ts";
export { localDay } from "./time/local.ts";
export { firstInstant, isZone } from "./time/zone.ts";
export { isPublishable, type Problem as WorkflowProblem } from "./workflow/validate.ts";
export { canonicalWorkflow, workflowHash } from "./workflow/canonical.ts";
export { namesOfRow } from "./workflow/settings-names.ts";
export { takenOver } from "./workflow/take-over.ts";
export { diffDocuments, type Difference } from "./workflow/diff.ts";
export { type WorkflowDocument, WorkflowDocumentSchema } from "./workflow/document.ts";
