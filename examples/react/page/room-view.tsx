import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Message } from "../contract.ts";
import { Composer } from "./composer.tsx";
import { useEvent, useRequest, useRoom } from "./hub.ts";
import { MessageList, type Unsent } from "./message-list.tsx";
import { People } from "./people.tsx";

/** How long a message may wait for its answer, and before that for a connection, in milliseconds. */
const PATIENCE = 60_000;

export function RoomView({ name }: { name: string }): ReactNode {
  const { state, error: refusal } = useRoom(name);
  const { data: history, error: unknown, send: askHistory } = useRequest("history");
  // Sent again after a lost connection, and said once.
  const { send } = useRequest("say", { idempotent: true, timeout: PATIENCE });
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const [unsent, setUnsent] = useState<readonly Unsent[]>([]);
  const [failure, setFailure] = useState("");
  const lastKey = useRef(0);

  const add = (news: readonly Message[]): void => setMessages((known) => merge(known, news));

  useEvent("message", (message) => add([message]), { room: name });

  // What was said before this visitor came, or in the time without a connection: the room is joined anew after that.
  useEffect(() => {
    // Why it failed is shown below.
    if (state === "joined") askHistory({ room: name }).then(add, () => {});
  }, [state, askHistory, name]);

  const say = async (text: string): Promise<void> => {
    const key = (lastKey.current += 1);
    setUnsent((others) => [...others, { key, text }]);
    setFailure("");
    try {
      add([await send({ room: name, text })]);
    } catch (error) {
      setFailure(`“${text}” was not sent. ${(error as Error).message}`);
    }
    setUnsent((others) => others.filter((other) => other.key !== key));
  };

  return (
    <main aria-labelledby="room">
      <h2 id="room">{name}</h2>
      <MessageList messages={messages} unsent={unsent} isEmpty={history !== undefined} />
      <People room={name} />
      <p className="problem" role="alert">
        {refusal?.message ?? unknown?.message ?? failure}
      </p>
      <Composer room={name} say={(text) => void say(text)} />
    </main>
  );
}

/** By id: the server's history and what was heard overlap. */
function merge(known: readonly Message[], news: readonly Message[]): readonly Message[] {
  const all = new Map([...known, ...news].map((message) => [message.id, message]));
  return [...all.values()].toSorted((a, b) => a.at - b.at);
}
