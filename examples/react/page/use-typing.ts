import { useEffect, useRef, useState } from "react";
import type { Message, Person } from "../contract.ts";
import type { RoomsClient } from "./events.ts";

/** How often it is said that somebody is still typing, and how long that holds, in milliseconds. */
const EVERY = 2_000;
const HOLDS = 3_000;

/** The names of those who are typing in the room, and what to call when the user does. */
export function useTyping(client: RoomsClient, room: string): readonly [names: readonly string[], type: () => void] {
  const [typists, setTypists] = useState<ReadonlyMap<string, string>>(new Map());
  const last = useRef(-Infinity);

  useEffect(() => {
    const timers = new Map<string, ReturnType<typeof setTimeout>>();
    const remove = (id: string): void => {
      clearTimeout(timers.get(id));
      timers.delete(id);
      setTypists((others) => new Map([...others].filter(([other]) => other !== id)));
    };
    const typing = ({ id, name }: Person): void => {
      clearTimeout(timers.get(id));
      timers.set(
        id,
        setTimeout(() => remove(id), HOLDS),
      );
      setTypists((others) => new Map([...others, [id, name]]));
    };
    const said = ({ from }: Message): void => remove(from.id);
    const events = client.room(room).on("typing", typing).on("message", said);
    return () => {
      events.off("typing", typing).off("message", said);
      for (const timer of timers.values()) clearTimeout(timer);
    };
  }, [client, room]);

  const type = (): void => {
    // Without a connection it would wait for the next one, and then no longer be true.
    if (client.state !== "open" || Date.now() - last.current < EVERY) return;
    last.current = Date.now();
    client.emit("typing", { room });
  };

  return [[...typists.values()], type];
}
