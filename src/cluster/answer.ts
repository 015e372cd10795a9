import type { Buffer } from "node:buffer";
import { encodeControl, type Failing, type QueryAnswer } from "./envelope.ts";

const LOST: Failing = {
  code: "ERR_HUB_BACKPLANE",
  message: "The reply was lost on its way between the nodes: the engine did not take it.",
};

/** A part of an answer, encoded. */
export interface AnswerPart {
  readonly envelope: Buffer;
  /** Returns the short envelopes that are sent instead if the part is lost, so that nobody waits for it. */
  readonly instead: () => readonly Buffer[];
}

/**
 * Encodes an answer in parts that an engine takes. One reply or one description that is larger is a part of its own.
 *
 * @param maxBytes - the size of a part, in bytes.
 */
export function encodeAnswer(answer: QueryAnswer, maxBytes: number): readonly AnswerPart[] {
  const envelope = encodeControl(answer);
  const length = lengthOf(answer);
  if (envelope.byteLength <= maxBytes || length <= 1) {
    return [{ envelope, instead: () => encodeAnswer(lost(answer), maxBytes).map((part) => part.envelope) }];
  }
  const most = Math.ceil(length / Math.ceil(envelope.byteLength / maxBytes));
  const size = Math.min(most, length - 1);
  const parts: AnswerPart[] = [];
  for (let start = 0; start < length; start += size) {
    parts.push(...encodeAnswer(slice(answer, start, Math.min(start + size, length)), maxBytes));
  }
  return parts;
}

/** Returns the answer that is sent instead of one that was lost. */
function lost({
  type,
  id,
  asked,
  descriptions,
  complete,
  failed,
  replies = [],
  failures = [],
}: QueryAnswer): QueryAnswer {
  const lostReplies = replies.map(([socket]) => [socket, LOST] as const);
  // The reply of a node itself comes with the word that this is all.
  const isOnlyReplies = replies.length > 0 && asked === undefined && descriptions === undefined;
  if (complete === true && isOnlyReplies) return { type, id, failures: [...failures, ...lostReplies], complete };
  // Without its sockets, or the word that these are all, an answer is as good as none.
  const isUseless = [asked, descriptions, complete, failed].some((part) => part !== undefined);
  if (isUseless) return { type, id, failed: true };
  return { type, id, failures: [...failures, ...lostReplies] };
}

function lengthOf({ asked = [], replies = [], failures = [], descriptions = [], refused = [] }: QueryAnswer): number {
  return asked.length + replies.length + failures.length + descriptions.length + refused.length;
}

/** Returns the items of an answer from one index to another, all lists taken as one. */
function slice(answer: QueryAnswer, from: number, to: number): QueryAnswer {
  const { type, id, complete, failed } = answer;
  let passed = 0;
  const cut = <I>(list: readonly I[] = []): readonly I[] => {
    const some = list.slice(Math.max(0, from - passed), Math.max(0, to - passed));
    passed += list.length;
    return some;
  };
  const lists = {
    asked: cut(answer.asked),
    replies: cut(answer.replies),
    failures: cut(answer.failures),
    descriptions: cut(answer.descriptions),
    refused: cut(answer.refused),
  };
  const filled = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
  const isLast = to === passed;
  return {
    type,
    id,
    ...filled,
    ...(isLast && complete !== undefined ? { complete } : undefined),
    ...(isLast && failed !== undefined ? { failed } : undefined),
  };
}
