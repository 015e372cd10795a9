import { useState, type ReactNode } from "react";
import { useEvent } from "./hub.ts";

interface Summary {
  readonly name: string;
  readonly people: number;
}

/** All rooms, with how many people are in each. */
export function RoomList({ current }: { current: string }): ReactNode {
  const [rooms, setRooms] = useState<readonly Summary[]>([]);
  useEvent("rooms", setRooms);
  return (
    <nav aria-label="Rooms">
      <ul>
        {rooms.map(({ name, people }) => (
          <li key={name}>
            <a href={`#${encodeURIComponent(name)}`} aria-current={name === current ? "page" : undefined}>
              {name}{" "}
              <span className="count">
                {people}
                <span className="unseen">{people === 1 ? " person" : " people"}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
