import { Buffer } from "node:buffer";
import { nanoid } from "nanoid";
import { onlyRoom, type Audience } from "./audience.ts";
import { Delivery } from "./delivery.ts";
import { HubError } from "./errors.ts";
import type { Admission } from "./handshake.ts";
import { Member } from "./member.ts";
import { Members } from "./members.ts";
import { Multicast } from "./multicast.ts";
import type { ResolvedOptions } from "./options.ts";
import { CloseCode } from "./protocol/close-codes.ts";
import { isReply, type Packet } from "./protocol/packet.ts";
import { Requests, type Replies } from "./requests.ts";
import type { Connection, Topics } from "./transport.ts";
import { Frame } from "./transports/frame.ts";

/** At most this fraction of what may be held for a socket, as a shift, is published before its recipients are looked at. */
const UNSEEN_SHIFT = 6;

/**
 * The parts that a hub, its sockets and its targets share, and what takes more than one of them: sending to an audience,
 * and the end of a member.
 */
export class Core {
  readonly members: Members;
  readonly requests: Requests = new Requests();
  readonly delivery: Delivery;
  readonly #options: Pick<ResolvedOptions, "codec" | "maxBufferedBytes">;
  readonly #departed: (member: Member, code: number, reason: string) => void;
  #closed = false;

  /**
   * `topics` are the transport's, if it has any. `departed` is called once for each member that was admitted, in a
   * microtask after its end.
   */
  constructor(
    options: Pick<ResolvedOptions, "codec" | "maxBufferedBytes">,
    topics: Topics | undefined,
    departed: (member: Member, code: number, reason: string) => void,
  ) {
    this.#options = options;
    this.#departed = departed;
    const { maxBufferedBytes } = options;
    const multicast = topics === undefined ? undefined : new Multicast(topics, maxBufferedBytes >> UNSEEN_SHIFT);
    // Every recipient is a member; delivery knows no more of it than it needs.
    this.delivery = new Delivery({
      maxBufferedBytes,
      overflow: (recipient) => this.expelSlow(recipient as Member),
      multicast,
    });
    this.members = new Members({
      changing: () => this.delivery.separate(),
      joined: (group, member) => multicast?.joined(group, member),
      left: (group, member) => {
        // When the members who were published to are looked through, it is not among them any more.
        if (multicast?.left(group, member) === true) this.delivery.inspect(member);
      },
    });
  }

  /** From now on the application can do nothing with the hub but close it again. */
  close(): void {
    this.#closed = true;
  }

  /** @throws {HubError} `ERR_HUB_CLOSED`. */
  checkOpen(): void {
    if (this.#closed) throw closed();
  }

  admit(connection: Connection, { handshake, user }: Admission): Member {
    const member = new Member(createId(), connection, handshake, user);
    connection.owner = member;
    this.members.add(member);
    return member;
  }

  /**
   * The frame of a packet.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encode(packet: Packet): Frame {
    let message: string | Uint8Array;
    try {
      message = this.#options.codec.encode(packet);
    } catch (error) {
      const subject = isReply(packet) ? "the reply" : `the data of "${packet.event}"`;
      const why = error instanceof Error ? error.message : String(error);
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The codec cannot encode ${subject}: ${why}`, { cause: error });
    }
    return this.frame(message);
  }

  /**
   * The frame of a message that is sent as it is.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  frame(message: string | Uint8Array): Frame {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw new HubError("ERR_HUB_ARGUMENT", `A message must be a string or a Uint8Array, not ${typeof message}.`);
    }
    const frame = new Frame(message);
    const most = this.#options.maxBufferedBytes;
    if (frame.bytes.length > most) {
      throw new HubError(
        "ERR_HUB_MESSAGE_TOO_LARGE",
        `The message takes ${frame.bytes.length} bytes, but at most ${most} may wait for one socket. ` +
          `Send less at a time or raise the option "maxBufferedBytes".`,
      );
    }
    return frame;
  }

  /** Sends one frame to everybody in the audience. */
  broadcast(audience: Audience, frame: Frame): void {
    const { delivery, members } = this;
    const group = audience.volatile ? undefined : members.groupOf(audience);
    if (group !== undefined) {
      delivery.sendToGroup(group, frame, members.exceptionOf(audience));
      return;
    }
    members.forEach(audience, (member) => {
      if (!audience.volatile || !delivery.isBehind(member)) delivery.send(member, frame);
    });
  }

  /** Sends one request to everybody in the audience and waits for their replies. */
  request(audience: Audience, event: string, data: unknown, timeout: number): Promise<Replies<unknown>> {
    const id = this.requests.nextId();
    const frame = this.encode({ event, data, id, room: onlyRoom(audience) });
    const recipients: Member[] = [];
    this.members.forEach(audience, (member) => {
      if (audience.volatile && this.delivery.isBehind(member)) return;
      this.delivery.send(member, frame);
      // Sending may have ended a member that was too slow; then it will not reply, and is not waited for.
      if (member.open) recipients.push(member);
    });
    return this.requests.track(id, recipients, timeout);
  }

  /** Closes after everything that was sent before has been written. */
  closeMember(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    this.delivery.flush(member);
    member.connection.close(code, reason);
    this.retire(member, code, reason);
  }

  /** Closes a member that would not read what waits for it: that is lost. */
  expel(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    member.connection.close(code, reason);
    this.retire(member, code, reason);
  }

  /** Ends the connection at once. What waits is lost. */
  terminateMember(member: Member): void {
    if (!member.open) return;
    member.connection.terminate();
    this.retire(member, CloseCode.abnormal, "");
  }

  /**
   * From here on the member is in no room and no audience. The application hears of it in a microtask: later than the
   * call that caused it, in the order of the ends, and not from inside another handler.
   */
  retire(member: Member, code: number, reason: string): void {
    if (!member.open) return;
    member.open = false;
    this.delivery.discard(member);
    this.members.remove(member);
    this.requests.abandon(member);
    queueMicrotask(() => this.#departed(member, code, reason));
  }

  /** More would be held for the member than may be. */
  expelSlow(member: Member): void {
    this.expel(member, CloseCode.slowConsumer, "The client reads too slowly");
  }
}

/**
 * A copy, because `nanoid` appends letter by letter: V8 would keep the chain of concatenations, 320 bytes instead of 40.
 */
function createId(): string {
  return Buffer.from(nanoid(), "latin1").toString("latin1");
}

/** The error of using a hub that was closed. */
export function closed(): HubError {
  return new HubError("ERR_HUB_CLOSED", "This hub was closed and cannot be used again. Create a new one.");
}
