import { useState, type FormEvent, type ReactNode } from "react";
import type { RoomsClient } from "./events.ts";
import { useRoom } from "./use-room.ts";
import { useTyping } from "./use-typing.ts";

export function RoomView({ client, name }: { client: RoomsClient; name: string }): ReactNode {
  const { messages, unsent, problem, say } = useRoom(client, name);
  const [typists, type] = useTyping(client, name);
  return (
    <main aria-labelledby="room">
      <h2 id="room">{name}</h2>
      <div className="log" role="log" aria-label="Messages" tabIndex={0}>
        <ol>
          {messages.map(({ id, from, text }) => (
            <li key={id}>
              <b>{from.name}</b> <span className="text">{text}</span>
            </li>
          ))}
          {unsent.map(({ key, text }) => (
            <li key={`unsent ${key}`} className="unsent">
              <b>Sending …</b> <span className="text">{text}</span>
            </li>
          ))}
        </ol>
      </div>
      <p className="typing" aria-live="polite">
        {typists.length > 0 && `${typists.join(", ")} ${typists.length === 1 ? "is" : "are"} typing …`}
      </p>
      <p className="problem" role="alert">
        {problem}
      </p>
      <Composer say={say} type={type} />
    </main>
  );
}

function Composer({ say, type }: { say: (text: string) => void; type: () => void }): ReactNode {
  const [text, setText] = useState("");
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
        onChange={({ target }) => {
          setText(target.value);
          type();
        }}
        maxLength={2_000}
        placeholder="Write a message"
        autoComplete="off"
      />
      <button>Send</button>
    </form>
  );
}
