import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { HubError, messageOf } from "../errors.ts";
import { guarded, watch } from "../guard.ts";
import type { Audience } from "../members/audience.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { PresenceListener } from "../members/presence-feed.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { ALL_NODES, audienceOf, isNodeChannel, nodeChannel, roomOf } from "./channels.ts";
import type { Claims } from "./claims.ts";
import { Copies } from "./copies.ts";
import {
  decodeBundle,
  isReadable,
  publisherOf,
  type Control,
  type Envelope,
  type FramesEnvelope,
  type Manner,
  type QueryAnswer,
  type Selection,
} from "./envelope.ts";
import type { Interest } from "./interest.ts";
import type { NodeMessages } from "./node-messages.ts";
import type { NodeRequests } from "./node-requests.ts";
import type { NodeDescription, Nodes } from "./nodes.ts";
import type { Queries } from "./queries.ts";
import { Recent } from "./recent.ts";
import type { Respondent } from "./respondent.ts";
import type { Traffic } from "./traffic.ts";

const NO_MANNER: Manner = {};

/** The time for which one failure of a kind is reported that another node causes, in milliseconds. */
const SILENCE = 3_600_000;

export interface ArrivalsParts {
  /** The id of this node. */
  readonly self: string;
  /** Whether messages of one node on several channels arrive in order. */
  readonly isOrdered: boolean;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly local: LocalNode;
  readonly members: Members;
  readonly interest: Interest;
  readonly nodes: Nodes;
  readonly queries: Queries;
  readonly respondent: Respondent;
  readonly messages: NodeMessages;
  readonly nodeRequests: NodeRequests;
  readonly claims: Claims;
  /** Hears of the users on other nodes; `undefined` if no room has presence. */
  readonly presence: PresenceListener | undefined;
  readonly traffic: Traffic;
  /** Sends a control to other nodes. */
  readonly tell: (channel: string, control: Control) => void;
  readonly report: ErrorReport;
}

/** Whom a copy of an envelope is for. */
interface Share {
  readonly audience: Audience;
  /** The only members who are meant, from whom those are deleted who are reached; `undefined` for the whole audience. */
  readonly among: Set<Member> | undefined;
}

/** Carries out the envelopes of other nodes on the sockets of this node. */
export class Arrivals {
  readonly #parts: ArrivalsParts;
  readonly #copies: Copies;
  /**
   * The times at which failures were reported, by node and kind: as long as nodes of two releases are there, one comes with
   * every message.
   */
  readonly #reported: Recent<number>;

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
    this.#copies = new Copies(parts.clock, parts.isOrdered);
    this.#reported = new Recent(parts.clock, SILENCE);
  }

  /** Takes a bundle that came in on a channel. */
  take(channel: string, bytes: Uint8Array): void {
    const { self, traffic } = this.#parts;
    let publisher: string | undefined;
    traffic.received++;
    traffic.receivedBytes += bytes.byteLength;
    try {
      publisher = publisherOf(bytes);
      if (publisher === self) {
        traffic.echoed++;
        traffic.echoedBytes += bytes.byteLength;
        return;
      }
      if (!this.#isNeeded(channel)) {
        traffic.unneeded++;
        traffic.unneededBytes += bytes.byteLength;
        return;
      }
      const { from, envelopes } = decodeBundle(bytes);
      this.#parts.nodes.heard(from);
      for (const envelope of envelopes) this.#open(from, channel, envelope);
    } catch (error) {
      const message = "What came from another node cannot be read.";
      const failure = new HubError("ERR_HUB_BACKPLANE", message, { cause: error });
      this.#failOnce(publisher ?? "", isReadable(bytes) ? "bundle" : `version ${bytes[0]}`, failure);
    }
  }

  /** Reports a failure that another node has caused, unless one of its kind was reported within {@link SILENCE}. */
  #failOnce(from: string, kind: string, failure: unknown): void {
    const { clock } = this.#parts;
    const key = `${from} ${kind}`;
    const now = clock.now();
    if (now - (this.#reported.get(key) ?? -Infinity) < SILENCE) return;
    this.#reported.set(key, now);
    this.#parts.report.failed(failure, "backplane");
  }

  /**
   * Returns whether a channel concerns any socket of this node, or somebody who wants to know who is there. A channel is
   * still subscribed to for a while after its last member has left.
   */
  #isNeeded(channel: string): boolean {
    if (channel === ALL_NODES || isNodeChannel(channel)) return true;
    const { members, presence } = this.#parts;
    const room = roomOf(channel);
    if (room !== undefined && presence?.follows(room) === true) return true;
    return members.areThere(audienceOf([channel], {}, NO_MANNER));
  }

  #open(from: string, channel: string, envelope: Envelope): void {
    try {
      if (envelope.kind === "frames") this.#deliver(from, channel, envelope);
      else if (envelope.kind === "control") this.#obey(from, channel, envelope.control);
      else this.#lose(from, `envelope ${envelope.tag}`, messageOf(envelope.error), envelope.error);
    } catch (error) {
      this.#failOnce(from, envelope.kind === "control" ? envelope.control.type : envelope.kind, error);
    }
  }

  /** Reports once what this node does not understand of another one, which may be of a later release. */
  #lose(from: string, kind: string, what: string, cause?: unknown): void {
    const { name = from } = this.#parts.nodes.others.get(from) ?? {};
    const message = `This node does not understand the node "${name}", and loses what it has sent. ${what}`;
    const options = cause === undefined ? {} : { cause };
    this.#failOnce(from, kind, new HubError("ERR_HUB_BACKPLANE", message, options));
  }

  #deliver(from: string, channel: string, { selection, manner, asking, messages }: FramesEnvelope): void {
    const { codecs, local, report, respondent } = this.#parts;
    if (asking === undefined) {
      const share = this.#shareOf(from, channel, selection, manner);
      if (share === undefined) return;
      const { policy, key } = manner;
      const overload = local.overloadOf({ overload: policy === undefined ? undefined : { policy, key } });
      local.deliver(share.audience, this.#encodingOf(from, messages, manner, overload), share.among);
      return;
    }
    // A request is the same for all sockets that are asked here, so the first copy goes to all of them.
    const { routes = [channel], number } = selection;
    if (number !== undefined && !this.#copies.isFirst(from, number)) return;
    const { id, timeout } = asking;
    const audience = audienceOf(routes, selection, manner);
    const { asked } = local.request(
      audience,
      asking,
      this.#encodingOf(from, messages, manner, undefined),
      (member, outcome) => {
        guarded(report, () => respondent.settled(from, id, member.id, codecs.nameOf(member.codec), outcome));
      },
    );
    const ids = asked.map((member) => member.id);
    respondent.asked(from, id, ids, timeout);
  }

  /**
   * Returns whom a copy of an envelope is for; `undefined` where nobody is left. In an engine that keeps the order of all
   * channels, the first copy is for everybody who is meant. In another one it would overtake what was sent to one of the
   * rooms before, so each copy is for the members of its own room.
   */
  #shareOf(from: string, channel: string, selection: Selection, manner: Manner): Share | undefined {
    const { isOrdered, local } = this.#parts;
    const { routes = [channel], number } = selection;
    if (number === undefined) return { audience: audienceOf(routes, selection, manner), among: undefined };
    if (isOrdered) {
      if (!this.#copies.isFirst(from, number)) return undefined;
      return { audience: audienceOf(routes, selection, manner), among: undefined };
    }
    const all = (): Set<Member> => new Set(local.membersOf(audienceOf(routes, selection, manner)));
    const among = this.#copies.waiting(from, number, all);
    return among.size === 0 ? undefined : { audience: audienceOf([channel], selection, manner), among };
  }

  /**
   * Makes frames of the bytes that came in, for the codecs that are spoken here. Where the other node does not speak one
   * of these, as while a codec is added to one node after the other, the message is lost for the members that do.
   *
   * @param overload - the policy for the message; `undefined` for a message that closes a member if it is too much for
   *   that member.
   */
  #encodingOf(
    from: string,
    messages: FramesEnvelope["messages"],
    { uncompressed }: Manner,
    overload: Overload | undefined,
  ): Encoding {
    const { codecs } = this.#parts;
    const frames = new Map<Codec, OutgoingFrame>();
    for (const { protocol, binary, payload } of messages) {
      const codec = protocol === undefined ? undefined : codecs.named(protocol);
      if (protocol !== undefined && codec === undefined) continue;
      const frame = codecs.encoded(payload, binary, overload, uncompressed !== true);
      if (codec === undefined || (codec === codecs.plain && codecs.areUniform)) return frame;
      frames.set(codec, frame);
    }
    for (const codec of codecs.inUse) {
      if (frames.has(codec)) continue;
      const name = codecs.nameOf(codec);
      this.#lose(
        from,
        `codec ${name}`,
        `It sends nothing for clients that speak "${name}". Give all nodes the same codecs.`,
      );
    }
    return frames;
  }

  #obey(from: string, channel: string, control: Control): void {
    const { claims, interest, messages, nodeRequests, nodes, presence, queries, report, respondent } = this.#parts;
    switch (control.type) {
      case "alive":
      case "who":
      case "bye":
        nodes.heard(from, control);
        if (control.type === "alive" && control.presence !== undefined) presence?.alive(from);
        if (control.type === "bye") presence?.left(from, control.within ?? 0);
        break;
      case "here":
      case "present":
      case "acted":
      case "sets":
      case "versions":
        presence?.take(from, control);
        break;
      case "message":
        messages.dispatch(control.event, control.data, this.#describeNode(from));
        break;
      case "request":
        nodeRequests.take(this.#describeNode(from), control);
        break;
      case "join":
      case "leave":
      case "close":
        this.#act(from, this.#shareOf(from, channel, control.selection, NO_MANNER), control);
        break;
      case "probe":
        if (control.syncs === true) {
          watch(report, this.#confirm(from, control.id));
          break;
        }
        respondent.probed(
          from,
          control.id,
          control.routes.some((name) => interest.has(name)),
          control.timeout,
        );
        break;
      case "describe":
        this.#describe(from, control);
        break;
      case "answer":
        queries.answered(from, control);
        break;
      case "claim":
      case "claimed":
      case "handled":
        claims.take(from, control);
        break;
      default: {
        const { type } = control as { readonly type: string };
        this.#lose(from, `type ${type}`, `A control of the type "${type}" is unknown.`);
      }
    }
  }

  /** Returns the description of another node. An emitter is none, and has no name. */
  #describeNode(id: string): NodeDescription {
    return { id, name: this.#parts.nodes.others.get(id)?.name ?? id };
  }

  #act(origin: string, share: Share | undefined, control: Extract<Control, { readonly selection: Selection }>): void {
    const { local } = this.#parts;
    if (share === undefined) return;
    const { audience, among } = share;
    if (control.type === "join") {
      const { rooms, sent } = control;
      local.join(audience, rooms, among, sent === undefined ? undefined : { origin, number: sent });
      return;
    }
    const marks = { origin, numbers: new Map(control.sent) };
    if (control.type === "close") local.close(audience, { code: control.code, reason: control.reason }, among, marks);
    else local.leave(audience, control.rooms, among, marks);
  }

  /** Confirms that this node hears all rooms that it has members in now, but for those that its engine refuses. */
  async #confirm(from: string, id: number): Promise<void> {
    const { interest, local, tell } = this.#parts;
    let outcome: Pick<QueryAnswer, "complete" | "failed" | "refused">;
    try {
      await interest.settled();
      await local.joined();
      outcome = { complete: true, refused: interest.refusals.map(roomOf).filter((room) => room !== undefined) };
    } catch {
      // Who awaits the room here is told why.
      outcome = { failed: true };
    }
    tell(nodeChannel(from), { type: "answer", id, ...outcome });
  }

  #describe(from: string, { id, audience, keys }: Extract<Control, { readonly type: "describe" }>): void {
    const { local, tell } = this.#parts;
    const channel = nodeChannel(from);
    try {
      tell(channel, { type: "answer", id, descriptions: local.describe(audience, keys), complete: true });
    } catch (error) {
      tell(channel, { type: "answer", id, failed: true });
      throw error;
    }
  }
}
