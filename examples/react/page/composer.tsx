import { useRef, useState, type FormEvent, type ReactNode } from "react";
import { useHub } from "./hub.ts";

/** How often it is said that the user is still typing, in milliseconds. */
const EVERY = 2_000;

/** The field in which messages are written. */
export function Composer({ room, say }: { room: string; say: (text: string) => void }): ReactNode {
  const client = useHub();
  const [text, setText] = useState("");
  const told = useRef(-Infinity);

  const change = (value: string): void => {
    setText(value);
    // Without a connection it would wait for the next one, and then no longer be true.
    if (client.state !== "open" || Date.now() - told.current < EVERY) return;
    told.current = Date.now();
    client.emit("typing", { room });
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() === "") return;
    say(text.trim());
    setText("");
  };

  return (
    <form className="composer" onSubmit={submit}>
      <label className="unseen" htmlFor="text">
        Message
      </label>
      <input
        id="text"
        value={text}
        onChange={({ target }) => change(target.value)}
        maxLength={2_000}
        placeholder="Write a message"
        autoComplete="off"
      />
      <button>Send</button>
    </form>
  );
}
