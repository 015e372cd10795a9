import { useCallback, useEffect, useRef, useState } from "react";
import type { Message } from "../contract.ts";
import type { RoomsClient } from "./events.ts";

/** How long a message may wait for its answer, and before that for a connection, in milliseconds. */
const PATIENCE = 60_000;

/** What the user said and the server has not answered yet. */
interface Unsent {
  readonly key: number;
  readonly text: string;
}

export interface Room {
  readonly messages: readonly Message[];
  readonly unsent: readonly Unsent[];
  /** What went wrong last; empty if nothing did. */
  readonly problem: string;
  readonly say: (text: string) => void;
}

/** Keeps the client in the room while the component is mounted, also after the client has reconnected. */
export function useRoom(client: RoomsClient, name: string): Room {
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const [unsent, setUnsent] = useState<readonly Unsent[]>([]);
  const [problem, setProblem] = useState("");
  const lastKey = useRef(0);

  const add = useCallback((news: readonly Message[]) => setMessages((known) => merge(known, news)), []);

  useEffect(() => {
    let here = true;
    let joined = false;
    const report = (error: Error): void => {
      if (here) setProblem(error.message);
    };
    // Of the time without a connection, or before this visitor came.
    const catchUp = (): void => {
      if (joined && client.state === "open") client.request("history", { room: name }).then(add, report);
    };
    const heard = (message: Message): void => add([message]);
    const room = client.room(name).on("message", heard);
    const enter = async (): Promise<void> => {
      await room.join();
      joined = true;
      catchUp();
    };
    enter().catch(report);
    client.on("hub:state", catchUp);
    return () => {
      here = false;
      room.off("message", heard);
      client.off("hub:state", catchUp);
      // It only fails with the connection, and then there is nothing to leave.
      room.leave().catch(() => {});
    };
  }, [client, name, add]);

  const say = async (text: string): Promise<void> => {
    const key = (lastKey.current += 1);
    setUnsent((others) => [...others, { key, text }]);
    setProblem("");
    try {
      // Sent again after a lost connection, and said once.
      add([await client.request("say", { room: name, text }, { idempotent: true, timeout: PATIENCE })]);
    } catch (error) {
      setProblem(`“${text}” was not sent. ${(error as Error).message}`);
    }
    setUnsent((others) => others.filter((other) => other.key !== key));
  };

  return { messages, unsent, problem, say: (text) => void say(text) };
}

/** By id: the server's history and what was heard overlap. */
function merge(known: readonly Message[], news: readonly Message[]): readonly Message[] {
  const all = new Map([...known, ...news].map((message) => [message.id, message]));
  return [...all.values()].toSorted((a, b) => a.at - b.at);
}
