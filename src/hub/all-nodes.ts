import type { Cluster } from "../cluster/cluster.ts";
import type { Findings } from "../cluster/queries.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Overload } from "../delivery/overload.ts";
import { onlyRoom, type Audience } from "../members/audience.ts";
import { withSilent, type MemberDescription, type SocketDescriptions } from "../members/description.ts";
import type { HubTypes } from "../event-types.ts";
import type { History, Recorded } from "../history/history.ts";
import type { Rule } from "../history/rules.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import type { Replies, Requests } from "../members/requests.ts";
import type { Close } from "../protocol/close-codes.ts";

export interface AllNodesParts {
  readonly codecs: Codecs;
  readonly local: LocalNode;
  readonly requests: Requests<Member>;
  /** The other nodes; `undefined` without a backplane. */
  readonly cluster: Cluster | undefined;
  /** The records of rooms; `undefined` if no room is recorded. */
  readonly history: History | undefined;
}

/**
 * Operations on the sockets of an audience on all nodes: this one, and the other nodes unless the audience is local.
 */
export class AllNodes {
  readonly #parts: AllNodesParts;

  constructor(parts: AllNodesParts) {
    this.#parts = parts;
  }

  /** Returns the overload policy for messages to this audience. */
  overloadOf(audience: Audience): Overload {
    return this.#parts.local.overloadOf(audience);
  }

  /** Returns the rule by which events to this audience are recorded; `undefined` if they are not. */
  ruleOf(audience: Audience): Rule | undefined {
    return this.#parts.history?.ruleOf(audience);
  }

  /**
   * Sends an event, and records it if there is a rule. The data is encoded now, once for each codec.
   *
   * @returns its place in the record; `undefined` without a rule.
   */
  emit(audience: Audience, event: string, data: unknown, rule: Rule | undefined): Recorded | undefined {
    const { codecs, history, local } = this.#parts;
    const packet = { event, data, room: onlyRoom(audience) };
    if (history !== undefined && rule !== undefined) {
      return history.send(rule, audience, packet, local.overloadOf(audience));
    }
    const beyond = this.#beyond(audience);
    const encoding = codecs.encodeForAll(
      packet,
      beyond !== undefined,
      local.overloadOf(audience),
      !audience.uncompressed,
    );
    // Other nodes first: what goes to sockets here leaves at the end of the turn all the same.
    beyond?.deliver(audience, encoding);
    local.deliver(audience, encoding);
    return undefined;
  }

  /** Sends a message as it is. */
  send(audience: Audience, message: string | Uint8Array): void {
    const { codecs, local } = this.#parts;
    const frame = codecs.frame(message, local.overloadOf(audience), !audience.uncompressed);
    this.#beyond(audience)?.send(audience, frame);
    local.deliver(audience, frame);
  }

  /** Sends a request. Resolves when every socket has replied or failed. */
  async request(audience: Audience, event: string, data: unknown, timeout: number): Promise<Replies<unknown>> {
    const { codecs, local, requests } = this.#parts;
    const beyond = this.#beyond(audience);
    const id = beyond === undefined ? requests.nextId() : requests.nextClusterId();
    const request = { id, event, timeout };
    const packet = { event, data, id, room: onlyRoom(audience) };
    const encoding = codecs.encodeForAll(packet, beyond !== undefined, undefined, !audience.uncompressed);
    const here = local.request(audience, request, encoding).replies;
    return beyond === undefined ? here : joined(here, beyond.request(audience, request, encoding));
  }

  /** Puts the sockets into rooms. */
  join(audience: Audience, rooms: readonly string[]): void {
    this.#parts.local.join(audience, rooms);
    this.#beyond(audience)?.join(audience, rooms);
  }

  /** Takes the sockets out of rooms. */
  leave(audience: Audience, rooms: readonly string[]): void {
    this.#parts.local.leave(audience, rooms);
    this.#beyond(audience)?.leave(audience, rooms);
  }

  /** Closes the sockets, after what was sent to them before. */
  close(audience: Audience, close: Close): void {
    this.#parts.local.close(audience, close);
    this.#beyond(audience)?.close(audience, close);
  }

  /** Describes the sockets, with these properties of their data. */
  async describe(
    audience: Audience,
    keys: readonly string[],
    timeout: number,
  ): Promise<SocketDescriptions<HubTypes, never>> {
    const elsewhere = this.#beyond(audience)?.describe(audience, keys, timeout);
    const descriptions = this.#parts.local.describe(audience, keys);
    const findings = await elsewhere;
    descriptions.push(...((findings?.descriptions ?? []) as MemberDescription[]));
    return withSilent(descriptions, findings?.silent ?? []);
  }

  /** Returns the cluster; `undefined` without a backplane, or for an audience of this node only. */
  #beyond({ local }: Audience): Cluster | undefined {
    return local ? undefined : this.#parts.cluster;
  }
}

/** Joins the replies from this node and from the other nodes. */
async function joined(here: Promise<Replies<unknown>>, elsewhere: Promise<Findings>): Promise<Replies<unknown>> {
  const [own, findings] = await Promise.all([here, elsewhere]);
  return {
    replies: new Map([...own.replies, ...findings.replies]),
    failures: new Map([...own.failures, ...findings.failures]),
    silent: findings.silent,
  };
}
