import type { Core } from "../members/lifecycle.ts";
import type { Door } from "../door/door.ts";
import type { Admission } from "../door/authenticator.ts";
import type { HeartbeatOptions } from "../time/heartbeat.ts";
import type { Inbound } from "../inbound/dispatcher.ts";
import { Member } from "../members/member.ts";
import { Newcomer, type NewcomerOptions } from "../door/newcomer.ts";
import type { ResolvedOptions } from "./options.ts";
import { CloseCode } from "../protocol/close-codes.ts";
import { ControlEvent, PROTOCOL_VERSION, type Bye, type EventPacket, type Welcome } from "../protocol/packet.ts";
import type { Connection, TransportHandlers } from "../transports/transport.ts";

/** What the reception needs of the hub. */
export interface ReceptionOptions {
  readonly core: Core;
  readonly door: Door;
  readonly inbound: Inbound;
  readonly settings: Pick<ResolvedOptions, "handshakeTimeout" | "heartbeat" | "welcome">;
  /** When the heartbeat asks the next member. */
  readonly nextPhase: () => number;
  /** Gives a new member its socket. */
  readonly admitted: (member: Member) => void;
  /** It was greeted: the application may know of it. */
  readonly connected: (member: Member) => void;
  /** A packet of the hub's own could not be encoded. */
  readonly failed: (error: unknown, event: string, member?: Member) => void;
  /** The transport's server failed. */
  readonly broken: (error: unknown) => void;
}

/** Receives what the transport reports: whose connection it is, how one becomes a member, and how it ends. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #newcomerOptions: NewcomerOptions;
  readonly #newcomers = new Set<Newcomer>();
  /** Once it is closed: what whoever still comes is told. */
  #farewell: Farewell | undefined;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    const { core, door, settings, failed } = options;
    this.#newcomerOptions = {
      codecs: core.codecs,
      clock: core.clock,
      door,
      handshakeTimeout: settings.handshakeTimeout,
      admit: (connection, admission) => this.#admit(connection, admission),
      done: (newcomer) => this.#newcomers.delete(newcomer),
      failed: (error) => failed(error, ControlEvent.error),
    };
  }

  /** How many library clients are not let in yet. */
  get newcomers(): number {
    return this.#newcomers.size;
  }

  /** Takes nobody any more. Those who are in are told when to come back: they stay until the core has no work for them. */
  drain(bye: Bye): void {
    this.#end({ code: CloseCode.draining, reason: DRAINING, bye });
    for (const member of this.#options.core.members.all.values()) {
      this.#tell(member, { event: ControlEvent.bye, data: bye });
    }
  }

  /** Sends everybody away, and whoever still comes. */
  close(): void {
    // Those who are left of a drain have been told when to come back.
    const { code, reason } = this.#farewell ?? { code: CloseCode.goingAway, reason: GOING_AWAY };
    this.#end({ code, reason });
    for (const member of this.#options.core.members.all.values()) this.#dismiss(member, { code, reason });
  }

  #end(farewell: Farewell): void {
    this.#farewell = farewell;
    this.#options.door.shut();
    for (const newcomer of this.#newcomers) newcomer.close(farewell.code, farewell.reason);
  }

  handlers(): TransportHandlers {
    const { core, door, inbound, broken } = this.#options;
    return {
      upgrade: (info) => door.decide(info),
      open: (connection, context) => this.#receive(connection, context as Admission),
      message: ({ owner }, data) => {
        if (owner instanceof Newcomer) {
          owner.receive(data);
          return;
        }
        const member = owner as Member;
        member.askedIn = 0;
        if (member.open) inbound.receive(member, data);
      },
      pong: ({ owner }) => {
        if (owner instanceof Member) owner.askedIn = 0;
      },
      drain: ({ owner }) => {
        if (!(owner instanceof Member)) return;
        // What a client takes is a sign of life too: its pong may be far behind what it has yet to read.
        owner.askedIn = 0;
        if (owner.open) core.delivery.drained(owner);
      },
      overflow: ({ owner }) => {
        if (owner instanceof Member) core.expelSlow(owner);
        else (owner as Newcomer).close(CloseCode.slowConsumer, "The client reads too slowly");
      },
      close: ({ owner }, code, reason) => {
        door.left((owner as Member | Newcomer).handshake);
        if (owner instanceof Member) core.retire(owner, code, reason);
        else (owner as Newcomer).left();
      },
      error: broken,
    };
  }

  /** Asks for a sign of life. A page does not see the pings of WebSocket, so library clients get events. */
  ping(member: Member): void {
    if (this.#isLibrary(member)) this.#tell(member, { event: ControlEvent.ping });
    else member.connection.ping();
  }

  /** Plain clients are in; those of the library say hello first. */
  #receive(connection: Connection, admission: Admission): void {
    this.#options.door.entered(admission.handshake);
    const codec = this.#options.core.codecs.of(connection.protocol);
    if (codec === undefined) {
      this.#admit(connection, admission);
      return;
    }
    const newcomer = new Newcomer(connection, codec, admission.handshake, this.#newcomerOptions);
    this.#newcomers.add(newcomer);
    // The decision to let this client in was taken before `close()` was called, and is carried out after it.
    const farewell = this.#farewell;
    if (farewell !== undefined) newcomer.close(farewell.code, farewell.reason);
  }

  #admit(connection: Connection, admission: Admission): void {
    const member = this.#options.core.admit(connection, admission, this.#options.nextPhase());
    this.#options.admitted(member);
    if (this.#options.settings.welcome || this.#isLibrary(member)) this.#greet(member);
    this.#options.connected(member);
    if (this.#farewell !== undefined) this.#dismiss(member, this.#farewell);
  }

  #greet(member: Member): void {
    const { interval, timeout } = this.#options.settings.heartbeat || NEVER;
    const data: Welcome = { id: member.id, protocol: PROTOCOL_VERSION, heartbeat: interval, timeout };
    this.#tell(member, { event: ControlEvent.welcome, data });
  }

  #dismiss(member: Member, { code, reason, bye }: Farewell): void {
    if (bye !== undefined) this.#tell(member, { event: ControlEvent.bye, data: bye });
    this.#options.core.closeMember(member, code, reason);
  }

  #isLibrary({ connection }: Member): boolean {
    return this.#options.core.codecs.of(connection.protocol) !== undefined;
  }

  #tell(member: Member, packet: EventPacket): void {
    try {
      this.#options.core.tell(member, packet);
    } catch (error) {
      this.#options.failed(error, packet.event, member);
    }
  }
}

/** What is said to those who have to go. */
interface Farewell {
  readonly code: number;
  readonly reason: string;
  readonly bye?: Bye;
}

const DRAINING = "The server is shutting down";
const GOING_AWAY = "The server is going away";

/** A heartbeat that is switched off. */
const NEVER: HeartbeatOptions = { interval: 0, timeout: 0 };
