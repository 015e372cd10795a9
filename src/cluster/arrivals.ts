import type { Encoding } from "../delivery/codecs.ts";
import type { Core } from "../members/lifecycle.ts";
import { describe } from "../members/description.ts";
import { HubError } from "../errors.ts";
import type { Parcel } from "../delivery/outgoing-frame.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Socket } from "../hub/socket.ts";
import { ALL_NODES, audienceOf, isNodeChannel, nodeChannel } from "./channels.ts";
import { Copies } from "./copies.ts";
import {
  decodeBundle,
  publisherOf,
  type Control,
  type Envelope,
  type FramesEnvelope,
  type Manner,
  type Selection,
} from "./envelope.ts";
import type { Interest } from "./interest.ts";
import type { NodeMessages } from "./node-messages.ts";
import type { Nodes } from "./nodes.ts";
import type { Queries } from "./queries.ts";
import type { Respondent } from "./respondent.ts";
import type { Traffic } from "./traffic.ts";

/** So many descriptions of sockets are told at once: engines have limits for the size of a message. */
const DESCRIPTIONS_AT_ONCE = 200;

const NO_MANNER: Manner = {};

export interface ArrivalsParts {
  readonly core: Core;
  /** The id of this node. */
  readonly self: string;
  readonly interest: Interest;
  readonly nodes: Nodes;
  readonly queries: Queries;
  readonly respondent: Respondent;
  readonly messages: NodeMessages;
  readonly traffic: Traffic;
  readonly tell: (channel: string, control: Control) => void;
  readonly failed: (error: unknown) => void;
}

/** What comes in from other nodes: done here as if it had been called here. */
export class Arrivals {
  readonly #parts: ArrivalsParts;
  readonly #copies: Copies;

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
    this.#copies = new Copies(parts.core.clock);
  }

  take(channel: string, bytes: Uint8Array): void {
    const { failed, self, traffic } = this.#parts;
    traffic.received++;
    traffic.receivedBytes += bytes.byteLength;
    try {
      if (publisherOf(bytes) === self) {
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
      failed(new HubError("ERR_HUB_BACKPLANE", "What came from another node cannot be read.", { cause: error }));
    }
  }

  /** A room that has become empty is still heard for a while. */
  #isNeeded(channel: string): boolean {
    if (channel === ALL_NODES || isNodeChannel(channel)) return true;
    return this.#parts.core.members.areThere(audienceOf([channel], {}, NO_MANNER));
  }

  #open(from: string, channel: string, envelope: Envelope): void {
    try {
      if (envelope.kind === "frames") this.#deliver(from, channel, envelope);
      else this.#obey(from, channel, envelope.control);
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  #deliver(from: string, channel: string, { selection, manner, asking, messages }: FramesEnvelope): void {
    const { core, interest, respondent } = this.#parts;
    const { routes = [channel], number } = selection;
    const copies = routes.filter((route) => interest.has(route)).length;
    const { isFirst, reached } = this.#copies.take(`${from}${number}`, copies);
    if (asking === undefined) {
      const audience = audienceOf([channel], selection, manner);
      core.local.deliver(audience, this.#encodingOf(messages, manner), reached);
      return;
    }
    // A request is the same for all who are asked here, and so it goes to all of them with the first copy.
    if (!isFirst) return;
    const { id, timeout } = asking;
    const audience = audienceOf(routes, selection, manner);
    const { asked } = core.local.request(audience, asking, this.#encodingOf(messages, undefined), (member, outcome) => {
      respondent.settled(from, id, member.id, outcome);
    });
    const ids = asked.map((member) => member.id);
    respondent.asked(from, id, ids, timeout);
  }

  /**
   * Frames of the bytes that came in, for the codecs that are spoken here.
   *
   * @param manner - `undefined` for what closes a member that it is too much for.
   */
  #encodingOf(messages: FramesEnvelope["messages"], manner: Manner | undefined): Encoding {
    const { codecs, overload: usual } = this.#parts.core;
    const overload = manner?.policy === undefined ? usual : { policy: manner.policy, key: manner.key };
    const parcels = new Map<Codec, Parcel>();
    for (const { protocol, binary, payload } of messages) {
      const codec = protocol === undefined ? undefined : codecs.named(protocol);
      if (protocol !== undefined && codec === undefined) continue;
      const parcel = codecs.encoded(payload, binary, manner === undefined ? undefined : overload);
      if (codec === undefined) return parcel;
      parcels.set(codec, parcel);
    }
    for (const codec of codecs.inUse) {
      if (parcels.has(codec)) continue;
      throw new HubError(
        "ERR_HUB_BACKPLANE",
        `Another node sends nothing for clients that speak "${codecs.nameOf(codec)}". Give all nodes the same codecs.`,
      );
    }
    return parcels;
  }

  #obey(from: string, channel: string, control: Control): void {
    const { core, interest, messages, nodes, queries, respondent } = this.#parts;
    switch (control.type) {
      case "alive":
      case "who":
      case "bye":
        nodes.heard(from, control);
        break;
      case "message":
        messages.dispatch(control.event, control.data, nodes.others.get(from) ?? { id: from, name: from });
        break;
      case "join":
        core.local.join(routed(channel, control.selection), control.rooms);
        break;
      case "leave":
        core.local.leave(routed(channel, control.selection), control.rooms);
        break;
      case "close":
        core.local.close(routed(channel, control.selection), control.code, control.reason);
        break;
      case "probe":
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
    }
  }

  #describe(from: string, { id, audience, keys }: Extract<Control, { readonly type: "describe" }>): void {
    const { core, tell } = this.#parts;
    const channel = nodeChannel(from);
    try {
      const sockets = core.local.sockets(audience) as Socket[];
      for (let start = 0; start < sockets.length; start += DESCRIPTIONS_AT_ONCE) {
        const some = sockets.slice(start, start + DESCRIPTIONS_AT_ONCE);
        tell(channel, { type: "answer", id, descriptions: some.map((socket) => describe(socket, keys)) });
      }
      tell(channel, { type: "answer", id, complete: true });
    } catch (error) {
      tell(channel, { type: "answer", id, failed: true });
      throw error;
    }
  }
}

function routed(channel: string, selection: Selection): ReturnType<typeof audienceOf> {
  return audienceOf([channel], selection, NO_MANNER);
}
