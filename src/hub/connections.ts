import type { Cluster } from "../cluster/cluster.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { Door } from "../door/door.ts";
import { Newcomer, type NewcomerParts, type NewcomerReport } from "../door/newcomer.ts";
import type { Receiver } from "../inbound/receiver.ts";
import type { History } from "../history/history.ts";
import { windowOf } from "../limits/limits.ts";
import { forEach } from "../guard.ts";
import { DRAINED, TOO_SLOW, type Admission } from "../members/lifecycle.ts";
import { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import { ControlEvent, PROTOCOL_VERSION, type Bye, type EventPacket, type Welcome } from "../protocol/packet.ts";
import type { ErrorReport, ErrorSource, ErrorSubject } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import type { HeartbeatOptions, HeartbeatReport } from "../time/heartbeat.ts";
import type { Connection, TransportHandlers } from "../transports/transport.ts";
import type { HubSettings } from "./options.ts";
import { Socket, type SocketParts } from "./socket.ts";

/** Receives the connections that have become members, and the failures. */
export interface ConnectionsReport extends ErrorReport {
  /** Called when a member has been greeted and the application may learn of it. */
  connected(member: Member): void;
}

export interface ConnectionsParts extends SocketParts {
  readonly clock: Clock;
  /** The other nodes; `undefined` without a backplane. */
  readonly cluster: Cluster | undefined;
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  /** The records of rooms; `undefined` if no room is recorded. */
  readonly history: History | undefined;
  readonly receiver: Receiver;
  readonly door: Door;
  readonly members: Members;
  readonly settings: Pick<HubSettings, "handshakeTimeout" | "heartbeat" | "limits" | "welcome">;
  /** Returns the phase in which the heartbeat asks the next member. */
  readonly nextPhase: () => number;
  readonly report: ConnectionsReport;
}

/** The close of members and newcomers when the hub is drained or closed, with the notice when to reconnect. */
interface Dismissal extends Close {
  readonly bye?: Bye;
}

/** Handles the events of the transport: makes members of connections, hands their messages on, and ends them. */
export class Connections implements HeartbeatReport<Member>, NewcomerReport {
  readonly #parts: ConnectionsParts;
  readonly #newcomerParts: NewcomerParts;
  readonly #newcomers = new Set<Newcomer>();
  /** The number of connections that have ended for the hub, but whose descriptors are not free. */
  #closing = 0;
  /** Present once the hub is drained or closed. */
  #dismissal: Dismissal | undefined;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
    const { clock, codecs, door, settings } = parts;
    this.#newcomerParts = { clock, codecs, door, handshakeTimeout: settings.handshakeTimeout, report: this };
  }

  /** Number of library clients that are not let in yet. */
  get newcomers(): number {
    return this.#newcomers.size;
  }

  /** Number of connections that have ended for the hub, but whose descriptors are not free. */
  get closing(): number {
    return this.#closing;
  }

  /** Refuses all new clients. Members are told when to reconnect, and stay until nothing is at work for them. */
  drain(bye: Bye): void {
    this.#end({ ...DRAINED, bye });
    this.#forEachMember((member) => this.#tell(member, { event: ControlEvent.bye, data: bye }));
  }

  /** Closes all connections, and those that open later. */
  close(): void {
    // The members that are left of a drain have been told when to reconnect.
    const { code, reason } = this.#dismissal ?? GOING_AWAY;
    this.#end({ code, reason });
    this.#forEachMember((member) => this.#dismiss(member, { code, reason }));
  }

  #forEachMember(act: (member: Member) => void): void {
    forEach(this.#parts.members.all.values(), act, this.#parts.lifecycle.fail);
  }

  #end(dismissal: Dismissal): void {
    this.#dismissal = dismissal;
    this.#parts.door.shut();
    forEach(
      this.#newcomers,
      (newcomer) => newcomer.close(dismissal),
      (_newcomer, error) => this.#parts.report.failed(error, "internal"),
    );
  }

  /** Returns the functions that the transport calls. */
  handlers(): TransportHandlers {
    const { delivery, history, receiver, door, lifecycle, report } = this.#parts;
    return {
      upgrade: (info) => door.decide(info),
      open: (connection, context) => this.#receive(connection, context as Admission),
      message: ({ owner }, data, isBinary) => {
        if (owner instanceof Newcomer) {
          owner.receive(data, isBinary);
          return;
        }
        const member = owner as Member;
        member.askedIn = 0;
        if (member.open) receiver.receive(member, data, isBinary);
      },
      ping: ({ owner }) => this.#control(owner as Member | Newcomer),
      pong: ({ owner }) => {
        if (owner instanceof Member) {
          owner.askedIn = 0;
          owner.answered();
        }
        this.#control(owner as Member | Newcomer);
      },
      drain: ({ owner }) => {
        if (!(owner instanceof Member)) return;
        // Reading is a sign of life, too: the question may be far behind the data that the client has yet to read.
        owner.askedIn = 0;
        if (!owner.open) return;
        delivery.drained(owner);
        history?.drained(owner);
      },
      overflow: ({ owner }) => {
        if (owner instanceof Member) lifecycle.expelSlow(owner);
        else (owner as Newcomer).close(TOO_SLOW);
      },
      ending: ({ owner }) => {
        if (owner instanceof Member && owner.open) delivery.flush(owner);
      },
      close: (connection, code, reason) => {
        const { owner } = connection;
        // A connection that failed in `open` has no owner, and has left the door already.
        if (owner === undefined) return;
        this.#closing++;
        if (owner instanceof Member) lifecycle.ended(owner, { code, reason });
        else (owner as Newcomer).left();
      },
      gone: (connection) => {
        const { owner } = connection;
        if (owner === undefined) return;
        this.#closing--;
        door.left((owner as Member | Newcomer).handshake);
      },
      error: (error) => report.failed(error, "transport"),
    };
  }

  /** Ends the connection for which a handler has failed. */
  broke(error: unknown, connection: Connection | undefined): void {
    const { lifecycle, report } = this.#parts;
    const { owner } = connection ?? {};
    if (owner instanceof Member) {
      lifecycle.fail(owner, error);
    } else {
      report.failed(error, "internal");
      connection?.terminate();
    }
  }

  fail(member: Member, error: unknown): void {
    this.#parts.lifecycle.fail(member, error);
  }

  /** Asks a member for a sign of life. A page does not see the pings of WebSocket, so library clients get events. */
  ping(member: Member): void {
    if (this.#isLibrary(member)) {
      this.#tell(member, { event: ControlEvent.ping });
      member.asked(member.unconfirmedBytes + (member.backlog?.byteLength ?? 0));
    } else {
      member.connection.ping();
      member.asked(member.unconfirmedBytes);
    }
  }

  /** Ends a member that gave no sign of life, or has it asked anew. */
  lost(member: Member): void {
    if (member.isSending) member.askedIn = 0;
    else this.#parts.lifecycle.expelLost(member);
  }

  /** Makes a member of a connection, and reports it to the application. */
  admit(connection: Connection, admission: Admission): void {
    const { cluster, history, lifecycle, nextPhase, report, settings } = this.#parts;
    const { home } = admission;
    const isHome = home !== undefined && cluster?.claims.isThere(home) === true;
    const member = lifecycle.admit(connection, isHome ? admission : { ...admission, home: undefined }, nextPhase());
    member.socket = new Socket(this.#parts, member);
    history?.introduce(member, admission.since);
    if (settings.welcome || this.#isLibrary(member)) this.#greet(member);
    report.connected(member);
    if (this.#dismissal !== undefined) this.#dismiss(member, this.#dismissal);
  }

  done(newcomer: Newcomer): void {
    this.#newcomers.delete(newcomer);
  }

  failed(error: unknown, source: ErrorSource, subject?: ErrorSubject): void {
    this.#parts.report.failed(error, source, subject);
  }

  #control(owner: Member | Newcomer): void {
    if (owner instanceof Newcomer) owner.control();
    else if (owner.open) this.#parts.receiver.control(owner);
  }

  /** Lets a plain client in; a library client says hello first. */
  #receive(connection: Connection, admission: Admission): void {
    const { codecs, door } = this.#parts;
    door.entered(admission.handshake);
    try {
      this.#welcome(connection, admission, codecs.of(connection.protocol));
    } catch (error) {
      // The end of a connection without an owner is not counted.
      if (connection.owner === undefined) door.left(admission.handshake);
      throw error;
    }
  }

  #welcome(connection: Connection, admission: Admission, codec: Codec | undefined): void {
    if (codec === undefined) {
      this.admit(connection, admission);
      return;
    }
    const newcomer = new Newcomer(connection, codec, admission.handshake, this.#newcomerParts);
    this.#newcomers.add(newcomer);
    // The decision to let this client in was taken before `close()` was called, and is carried out after it.
    if (this.#dismissal !== undefined) newcomer.close(this.#dismissal);
  }

  #greet(member: Member): void {
    const { heartbeat, limits } = this.#parts.settings;
    const { interval, timeout } = heartbeat || NO_HEARTBEAT;
    const window = windowOf(limits);
    const { home, id } = member;
    const data: Welcome = { id, protocol: PROTOCOL_VERSION, heartbeat: interval, timeout, window, home };
    this.#tell(member, { event: ControlEvent.welcome, data });
  }

  #dismiss(member: Member, { code, reason, bye }: Dismissal): void {
    if (bye !== undefined) this.#tell(member, { event: ControlEvent.bye, data: bye });
    this.#parts.lifecycle.close(member, { code, reason });
  }

  #isLibrary({ connection }: Member): boolean {
    return this.#parts.codecs.of(connection.protocol) !== undefined;
  }

  #tell(member: Member, packet: EventPacket): void {
    try {
      this.#parts.local.tell(member, packet);
    } catch (error) {
      this.#parts.report.failed(error, "codec", { event: packet.event, socket: member.socket });
    }
  }
}

const GOING_AWAY: Dismissal = { code: CloseCode.goingAway, reason: "The server is going away" };

/** The intervals in the welcome of a hub without a heartbeat. */
const NO_HEARTBEAT: HeartbeatOptions = { interval: 0, timeout: 0 };
