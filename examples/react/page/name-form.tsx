import { useState, type FormEvent, type ReactNode } from "react";
import { useRequest } from "./hub.ts";
import { savedName, saveName } from "./profile.ts";

/** A request and its reply: the server says whether the name is free. */
export function NameForm(): ReactNode {
  const [name, setName] = useState(savedName);
  const { data: you, error, isPending, send } = useRequest("rename");

  const rename = async (): Promise<void> => {
    const renamed = await send({ name });
    setName(saveName(renamed.name));
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // Why it failed is shown below.
    rename().catch(() => {});
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
      <button disabled={isPending}>Change</button>
      <output id="name-answer" htmlFor="name">
        {error?.message ?? (you && `You are ${you.name} now.`)}
      </output>
    </form>
  );
}
