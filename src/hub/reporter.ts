import type { DropReason } from "../counters.ts";
import type { DoorReport } from "../door/door.ts";
import type { Refusal } from "../door/refusal.ts";
import type { HubTypes } from "../event-types.ts";
import type { ReceiverReport } from "../inbound/receiver.ts";
import type { NodeReport } from "../members/lifecycle.ts";
import type { Member } from "../members/member.ts";
import type { Close } from "../protocol/close-codes.ts";
import type { GapReason } from "../protocol/packet.ts";
import { microtask } from "../guard.ts";
import type { Effect } from "../presence/people.ts";
import type { PresenceContext, RoomUser } from "../presence/room.ts";
import type { ErrorSource, ErrorSubject } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import type { ConnectionsReport } from "./connections.ts";
import { publish } from "./diagnostics.ts";
import { HUB_EVENTS, type ErrorContext, type HubEvents, type RoomChange } from "./events.ts";
import { Listeners } from "./listeners.ts";
import { PresenceListeners } from "./presence-listeners.ts";
import type { Socket } from "./socket.ts";
import { Warnings } from "./warnings.ts";

/**
 * Reports events and failures to the listeners of the hub's events and to the channels of `node:diagnostics_channel`.
 * Failures and refused origins without a listener become warnings. A subscriber of a channel is no listener: it may
 * belong to a tool of which the application knows nothing.
 */
export class Reporter<T extends HubTypes> implements ConnectionsReport, DoorReport, NodeReport, ReceiverReport {
  readonly listeners: Listeners<HubEvents<T>>;
  readonly presence: PresenceListeners;
  /** The hub, for subscribers of the diagnostics channels. */
  readonly #hub: object;
  readonly #warnings: Warnings;

  /** @param most - the most listeners that an event may have. */
  constructor(hub: object, most: number, clock: Clock) {
    this.#hub = hub;
    this.#warnings = new Warnings(clock, 'hub.on("error", ...)');
    this.listeners = new Listeners<HubEvents<T>>(HUB_EVENTS, most, (error, event, [first]) => {
      // A failing `error` listener has no listener left to tell.
      if (event === "error") return this.#warnings.failed(error, "listener", event);
      this.failed(error, "listener", { event, ...subjectOf(event, first) });
    });
    this.presence = new PresenceListeners(most, this, (error, event) => this.failed(error, "listener", { event }));
  }

  connected(member: Member): void {
    const socket = socketOf<T>(member);
    this.listeners.dispatch("connection", socket);
    publish("connection", () => ({ hub: this.#hub, socket }));
  }

  departed(member: Member, { code, reason }: Close): void {
    const socket = socketOf<T>(member);
    this.listeners.dispatch("disconnection", socket, { code, reason });
    publish("disconnection", () => ({ hub: this.#hub, socket, code, reason }));
  }

  entered(room: string, member: Member, isFirst: boolean): void {
    if (!this.listeners.has("room")) return;
    if (isFirst) this.#changed({ type: "created", room });
    this.#changed({ type: "joined", room, socket: socketOf<T>(member) });
  }

  exited(room: string, member: Member, wasLast: boolean): void {
    if (!this.listeners.has("room")) return;
    this.#changed({ type: "left", room, socket: socketOf<T>(member) });
    if (wasLast) this.#changed({ type: "deleted", room });
  }

  happened(room: string, effect: Effect, user: RoomUser, context: PresenceContext): void {
    this.presence.dispatch(room, effect, user, context);
  }

  message(member: Member, data: string | Uint8Array): boolean {
    if (!this.listeners.has("message")) return false;
    this.listeners.dispatch("message", socketOf<T>(member), data);
    return true;
  }

  dropped(member: Member, reason: DropReason): void {
    publish("drop", () => ({ hub: this.#hub, socket: member.socket, reason }));
  }

  gap(member: Member, room: string, reason: GapReason): void {
    publish("gap", () => ({ hub: this.#hub, socket: member.socket, room, reason }));
  }

  refused(refusal: Refusal): void {
    if (this.listeners.has("refusal")) this.listeners.dispatch("refusal", refusal);
    else this.#warnings.refused(refusal);
    publish("refusal", () => ({ hub: this.#hub, ...refusal }));
  }

  failed(error: unknown, source: ErrorSource, subject?: ErrorSubject): void {
    const context = { source, ...subject } as ErrorContext<T>;
    if (this.listeners.has("error")) this.listeners.dispatch("error", error, context);
    else this.#warnings.failed(error, source, subject?.event);
    publish("error", () => ({ hub: this.#hub, error, ...context }));
  }

  /**
   * Tells of a change of the rooms in a microtask of its own: each change and each `disconnection` in the order in which
   * they happened, and none of them from inside whatever has made it.
   */
  #changed(change: RoomChange<T>): void {
    microtask(this, this.listeners.dispatcherOf("room", change));
  }
}

/** Returns the socket that an event with these arguments is about, if it is about one. */
function subjectOf(event: keyof HubEvents, first: unknown): Pick<ErrorSubject, "socket"> {
  if (event === "refusal") return {};
  if (event !== "room") return { socket: first };
  const { socket } = first as RoomChange;
  return socket === undefined ? {} : { socket };
}

/** Returns the application's socket of a member. */
export function socketOf<T extends HubTypes>(member: Member): Socket<T> {
  return member.socket as Socket<T>;
}
