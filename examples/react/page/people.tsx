import type { ReactNode } from "react";
import { usePresence } from "roomcast/react/presence";
import type { Present } from "../contract.ts";
import { useHub } from "./hub.ts";
import { user } from "./profile.ts";

/** Says who is in the room, and who of them is typing. */
export function People({ room }: { room: string }): ReactNode {
  const { count, users } = usePresence<Present>(useHub(), room);
  const names = Array.from(users.values(), (present) => present?.name ?? "").toSorted();
  const typists = [...users].filter(([id, present]) => id !== user && present?.isTyping);
  return (
    <>
      <p className="people" aria-label="People">
        {`${count} here${count === 0 ? "" : `: ${names.join(", ")}`}`}
      </p>
      <p className="typing" aria-live="polite">
        {typists.length > 0 &&
          `${typists.map(([, present]) => present?.name).join(", ")} ${typists.length === 1 ? "is" : "are"} typing …`}
      </p>
    </>
  );
}
