import { useState, type FormEvent, type ReactNode } from "react";
import type { RoomsClient } from "./events.ts";
import { savedName, saveName } from "./profile.ts";

/** A request and its reply: the server says whether the name is free. */
export function NameForm({ client }: { client: RoomsClient }): ReactNode {
  const [name, setName] = useState(savedName);
  const [answer, setAnswer] = useState("");

  const rename = async (): Promise<void> => {
    try {
      const you = await client.request("rename", { name });
      setName(saveName(you.name));
      setAnswer(`You are ${you.name} now.`);
    } catch (error) {
      setAnswer((error as Error).message);
    }
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void rename();
  };

  return (
    <form className="name" onSubmit={submit}>
      <label htmlFor="name">Your name</label>
      <input
        id="name"
        value={name}
        onChange={({ target }) => setName(target.value)}
        required
        maxLength={32}
        autoComplete="nickname"
        aria-describedby="name-answer"
      />
      <button>Change</button>
      <output id="name-answer" htmlFor="name">
        {answer}
      </output>
    </form>
  );
}
