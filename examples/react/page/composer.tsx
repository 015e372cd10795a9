import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useHub } from "./hub.ts";

/** How long a user who does not go on is shown as typing, in milliseconds. */
const HOLDS = 3_000;

/** The field in which messages are written. */
export function Composer({ room, say }: { room: string; say: (text: string) => void }): ReactNode {
  const client = useHub();
  const [text, setText] = useState("");
  /** Ends the typing, if the user types. */
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const type = (isTyping: boolean): void => {
    // Without a connection it would wait for the next one, and then no longer be true.
    if (isTyping !== (timer.current !== undefined) && client.state === "open")
      client.emit("typing", { room, isTyping });
    clearTimeout(timer.current);
    timer.current = isTyping ? setTimeout(() => type(false), HOLDS) : undefined;
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  const change = (value: string): void => {
    setText(value);
    type(value !== "");
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() === "") return;
    say(text.trim());
    change("");
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
