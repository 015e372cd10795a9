import type { Core } from "./core.ts";
import type { Door, Admission } from "./handshake.ts";
import type { HeartbeatOptions } from "./heartbeat.ts";
import type { Inbound } from "./inbound.ts";
import { Member } from "./member.ts";
import { Newcomer, type NewcomerOptions } from "./newcomer.ts";
import type { ResolvedOptions } from "./options.ts";
import { CloseCode } from "./protocol/close-codes.ts";
import { ControlEvent, PROTOCOL_VERSION, type EventPacket, type Welcome } from "./protocol/packet.ts";
import type { Connection, TransportHandlers } from "./transport.ts";

/** What the reception needs of the hub. */
export interface ReceptionOptions {
  readonly core: Core;
  readonly door: Door;
  readonly inbound: Inbound;
  readonly settings: Pick<ResolvedOptions, "heartbeat" | "helloTimeout" | "welcome">;
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
  #open = true;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    const { core, door, settings, failed } = options;
    this.#newcomerOptions = {
      codecs: core.codecs,
      door,
      helloTimeout: settings.helloTimeout,
      admit: (connection, admission) => this.#admit(connection, admission),
      done: (newcomer) => this.#newcomers.delete(newcomer),
      failed: (error) => failed(error, ControlEvent.error),
    };
  }

  /** Sends everybody away, and whoever still comes. */
  close(): void {
    this.#open = false;
    this.#options.door.shut();
    for (const newcomer of this.#newcomers) newcomer.close(CloseCode.goingAway, GOING_AWAY);
    for (const member of this.#options.core.members.all.values()) this.#dismiss(member);
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
        member.alive = true;
        if (member.open) inbound.receive(member, data);
      },
      pong: ({ owner }) => {
        if (owner instanceof Member) owner.alive = true;
      },
      drain: ({ owner }) => {
        if (!(owner instanceof Member)) return;
        // What a client takes is a sign of life too: its pong may be far behind what it has yet to read.
        owner.alive = true;
        if (owner.open) core.delivery.drained(owner);
      },
      overflow: ({ owner }) => {
        if (owner instanceof Member) core.expelSlow(owner);
        else (owner as Newcomer).close(CloseCode.slowConsumer, "The client reads too slowly");
      },
      close: ({ owner }, code, reason) => {
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
    const codec = this.#options.core.codecs.of(connection.protocol);
    if (codec === undefined) {
      this.#admit(connection, admission);
      return;
    }
    const newcomer = new Newcomer(connection, codec, admission.handshake, this.#newcomerOptions);
    this.#newcomers.add(newcomer);
    // The decision to let this client in was taken before `close()` was called, and is carried out after it.
    if (!this.#open) newcomer.close(CloseCode.goingAway, GOING_AWAY);
  }

  #admit(connection: Connection, admission: Admission): void {
    const member = this.#options.core.admit(connection, admission);
    this.#options.admitted(member);
    if (this.#options.settings.welcome || this.#isLibrary(member)) this.#greet(member);
    this.#options.connected(member);
    if (!this.#open) this.#dismiss(member);
  }

  #greet(member: Member): void {
    const { interval, timeout } = this.#options.settings.heartbeat || NEVER;
    const data: Welcome = { id: member.id, protocol: PROTOCOL_VERSION, heartbeat: interval, timeout };
    this.#tell(member, { event: ControlEvent.welcome, data });
  }

  #dismiss(member: Member): void {
    this.#options.core.closeMember(member, CloseCode.goingAway, GOING_AWAY);
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

const GOING_AWAY = "The server is going away";

/** A heartbeat that is switched off. */
const NEVER: HeartbeatOptions = { interval: 0, timeout: 0 };
