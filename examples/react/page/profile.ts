const NAME = "name";
const USER = "user";

/** The user of this browser: all its tabs are one. */
export const user: string =
  localStorage.getItem(USER) ?? save(USER, String(crypto.getRandomValues(new Uint32Array(4))));

/** The name of the user, which a new connection begins with. */
export function savedName(): string {
  return localStorage.getItem(NAME) ?? saveName(`Guest ${Math.floor(1_000 + Math.random() * 9_000)}`);
}

export function saveName(name: string): string {
  return save(NAME, name);
}

function save(key: string, value: string): string {
  localStorage.setItem(key, value);
  return value;
}
