import type { ReactNode } from "react";
import type { Message } from "../contract.ts";
import { user } from "./profile.ts";

/** What the user said and the server has not answered yet. */
export interface Unsent {
  readonly key: number;
  readonly text: string;
}

interface Props {
  readonly messages: readonly Message[];
  readonly unsent: readonly Unsent[];
  /** Whether it is known that nobody has said anything, if there are no messages. */
  readonly isEmpty: boolean;
}

/** The messages of a room, the user's own on the right. */
export function MessageList({ messages, unsent, isEmpty }: Props): ReactNode {
  return (
    <div className="log" role="log" aria-label="Messages" tabIndex={0}>
      {isEmpty && messages.length + unsent.length === 0 && (
        <p className="empty">Nobody has said anything here yet. Be the first.</p>
      )}
      <ol>
        {messages.map(({ id, from, text, at }) => (
          <li key={id} className={from.id === user ? "own" : "other"}>
            <b className="sender">{from.name}</b> <span className="text">{text}</span> <Time at={at} />
          </li>
        ))}
        {unsent.map(({ key, text }) => (
          <li key={`unsent ${key}`} className="own unsent">
            <b className="sender">Sending …</b> <span className="text">{text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function Time({ at }: { at: number }): ReactNode {
  return (
    <time dateTime={new Date(at).toISOString()} title={calendar.format(at)}>
      {clock.format(at)}
    </time>
  );
}
