export type { Client } from "./client.ts";
export type { ReconnectOptions } from "./backoff.ts";
export { ClientError, ReplyError, type ClientErrorCode } from "./errors.ts";
export type { GapReason, Position } from "../protocol/packet.ts";
export type { ClientNotices, ClientState, EventContext, Gap, HeardEvent, StateChange } from "./events.ts";
export type { ConnectOptions } from "./options.ts";
export type { QueueOptions, QueuePolicy, RequestOptions } from "./sending-options.ts";
export type { Room } from "./room.ts";
export type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";
