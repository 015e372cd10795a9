export { Hub } from "./hub.ts";
export type { Disconnection, ErrorContext, HubEvents } from "./hub-events.ts";
export type { Socket } from "./socket.ts";
export type { Target } from "./target.ts";
export type { SocketDescription, SocketDescriptions } from "./description.ts";
export { createEmitter, type Emitter, type EmitterOptions } from "./emitter.ts";
export type { Backplane, BackplaneHandlers } from "./backplane.ts";
export type { BackplaneState } from "./cluster.ts";
export type { ClusterOptions } from "./cluster/options.ts";
export type { NodeDescription } from "./cluster/nodes.ts";
export type { Traffic } from "./cluster/traffic.ts";
export type { HubOptions, TransportName } from "./options.ts";
export type { HubTypes, User } from "./event-types.ts";
export { defineContract, type ClientContractTypes, type Contract, type ContractTypes } from "./contract.ts";
export type { IdempotencyOptions } from "./answers.ts";
export { systemClock, type Clock, type Timer } from "./clock.ts";
export type { Handshake } from "./handshake.ts";
export type { Origins } from "./door/origins.ts";
export type { TrustProxy } from "./door/proxies.ts";
export type { Refusal, RefusalReason } from "./door/refusal.ts";
export type { HeartbeatOptions } from "./heartbeat.ts";
export type { DrainOptions } from "./life-cycle.ts";
export type { Limits } from "./limits.ts";
export type { Call, Middleware } from "./middleware.ts";
export type { DropReason, OverloadPolicy } from "./overload.ts";
export type { Replies, RequestOptions } from "./requests.ts";
export type { HubStatistics } from "./statistics.ts";
export type { Rate } from "./token-bucket.ts";
export { HubError, RemoteError, ReplyError, type HubErrorCode } from "./errors.ts";
export { jsonCodec, type Codec } from "./protocol/codec.ts";
export { CloseCode } from "./protocol/close-codes.ts";
export type { EventPacket, Packet, ReplyPacket, WireError } from "./protocol/packet.ts";
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
} from "./transport.ts";
