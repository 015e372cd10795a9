import { useEffect, useState, type ReactNode } from "react";
import type { RoomsClient } from "./events.ts";

interface Summary {
  readonly name: string;
  readonly people: number;
}

/** All rooms, with how many people are in each. */
export function RoomList({ client, current }: { client: RoomsClient; current: string }): ReactNode {
  const [rooms, setRooms] = useState<readonly Summary[]>([]);
  useEffect(() => {
    client.on("rooms", setRooms);
    return () => void client.off("rooms", setRooms);
  }, [client]);
  return (
    <nav aria-label="Rooms">
      <ul>
        {rooms.map(({ name, people }) => (
          <li key={name}>
            <a href={`#${name}`} aria-current={name === current ? "page" : undefined}>
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
