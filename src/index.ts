export { Hub } from "./hub/hub.ts";
export type { Disconnection, ErrorContext, HubEvents, RoomChange } from "./hub/events.ts";
export type { JoinOptions, Socket } from "./hub/socket.ts";
export type { NodeTarget } from "./hub/node-target.ts";
export type { Target } from "./hub/target.ts";
export type { SocketDescription, SocketDescriptions } from "./members/description.ts";
export { createEmitter, type Emitter, type EmitterOptions } from "./hub/emitter.ts";
export type {
  Appended,
  Backplane,
  BackplaneHandlers,
  BackplaneLog,
  LogEntry,
  LogLimits,
  LogPosition,
  LogRecord,
  LogTail,
} from "./backplanes/backplane.ts";
export type { BackplaneState } from "./cluster/cluster.ts";
export type { ClusterOptions } from "./cluster/options.ts";
export type { NodeDescription } from "./cluster/nodes.ts";
export type { Traffic } from "./cluster/traffic.ts";
export type { HubOptions, TransportName } from "./hub/options.ts";
export type { HubTypes, NamedEvent, User } from "./event-types.ts";
export { defineContract, type ClientContractTypes, type Contract, type ContractTypes } from "./contract/index.ts";
export type { HistoryOptions, HistoryRule } from "./history/options.ts";
export type { HistoryQuery, HistoryResult, RecordedEvent } from "./history/query.ts";
export type { HistoryStatistics } from "./history/statistics.ts";
export type { PresenceOptions } from "./presence/options.ts";
export type { PresenceStatistics } from "./presence/presence.ts";
export type { PresenceContext } from "./presence/room.ts";
export type { PresenceEvents, PresentUser } from "./hub/presence-events.ts";
export type { RoomPresence } from "./hub/room-presence.ts";
export type { SocketPresence } from "./hub/socket-presence.ts";
export type { IdempotencyOptions } from "./inbound/idempotency.ts";
export { systemClock, type Clock, type Timer } from "./time/clock.ts";
export type { Handshake } from "./members/handshake.ts";
export type { Origins } from "./door/origins.ts";
export type { TrustProxy } from "./door/proxies.ts";
export type { Refusal, RefusalReason } from "./door/refusal.ts";
export type { HandlerContext } from "./members/handler-context.ts";
export type { HeartbeatOptions } from "./time/heartbeat.ts";
export type { CloseOptions, DrainOptions } from "./hub/lifecycle.ts";
export type { Limits } from "./limits/limits.ts";
export type { Call, Middleware } from "./inbound/middleware.ts";
export type { DropReason } from "./counters.ts";
export type { OverloadPolicy } from "./delivery/overload.ts";
export type { Replies, RequestOptions } from "./members/requests.ts";
export type { HubStatistics } from "./hub/statistics.ts";
export type { Rate } from "./limits/token-bucket.ts";
export { HubError, RemoteError, ReplyError, type HubErrorCode, type RefusalOptions } from "./errors.ts";
export { jsonCodec, type Codec } from "./protocol/codec.ts";
export { jsonWeight } from "./protocol/json-weight.ts";
export { CloseCode } from "./protocol/close-codes.ts";
export type {
  EventPacket,
  GapReason,
  Packet,
  Position,
  PresenceNotice,
  ReplyPacket,
  WireError,
} from "./protocol/packet.ts";
export type {
  Connection,
  FrameSequence,
  ListenAddress,
  ListenOptions,
  MessageFrame,
  TlsOptions,
  Topics,
  Transport,
  TransportHandlers,
  TransportSettings,
  UpgradeDecision,
  UpgradeInfo,
} from "./transports/transport.ts";
