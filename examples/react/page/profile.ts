const KEY = "name";

/** The name of this tab's user: remembered over reloads, and what a new connection begins with. */
export function savedName(): string {
  return sessionStorage.getItem(KEY) ?? saveName(`Guest ${Math.floor(1_000 + Math.random() * 9_000)}`);
}

export function saveName(name: string): string {
  sessionStorage.setItem(KEY, name);
  return name;
}
