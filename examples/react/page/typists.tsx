import { useEffect, useState, type ReactNode } from "react";
import { useEvent } from "./hub.ts";

/** How long it holds that somebody is typing, in milliseconds. */
const HOLDS = 3_000;

interface Typist {
  readonly name: string;
  /** The time, in milliseconds since 1970, until which it holds. */
  readonly until: number;
}

/** Says who is typing in the room, until they have said it or stop. */
export function Typists({ room }: { room: string }): ReactNode {
  const [typists, setTypists] = useState<ReadonlyMap<string, Typist>>(new Map());

  useEvent("typing", ({ id, name }) => set(id, { name, until: Date.now() + HOLDS }), { room });
  useEvent("message", ({ from }) => keep((_, id) => id !== from.id), { room });

  useEffect(() => {
    if (typists.size === 0) return undefined;
    const next = Math.min(...Array.from(typists.values(), ({ until }) => until));
    const timer = setTimeout(() => keep(({ until }) => until > Date.now()), next - Date.now());
    return () => clearTimeout(timer);
  }, [typists]);

  function set(id: string, typist: Typist): void {
    setTypists((others) => new Map([...others, [id, typist]]));
  }

  function keep(test: (typist: Typist, id: string) => boolean): void {
    setTypists((all) => new Map([...all].filter(([id, typist]) => test(typist, id))));
  }

  const names = Array.from(typists.values(), ({ name }) => name).join(", ");
  return (
    <p className="typing" aria-live="polite">
      {typists.size > 0 && `${names} ${typists.size === 1 ? "is" : "are"} typing …`}
    </p>
  );
}
