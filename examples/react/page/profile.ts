const NAME = "name";
const IDS = "ids";

/** The name of this tab's user: remembered over reloads, and what a new connection begins with. */
export function savedName(): string {
  return sessionStorage.getItem(NAME) ?? saveName(`Guest ${Math.floor(1_000 + Math.random() * 9_000)}`);
}

export function saveName(name: string): string {
  sessionStorage.setItem(NAME, name);
  return name;
}

/** The ids that this tab had so far: every connection has another one, and messages have that of their sender. */
const ids = new Set(sessionStorage.getItem(IDS)?.split(" "));

export function saveId(id: string): void {
  sessionStorage.setItem(IDS, [...ids.add(id)].join(" "));
}

export function isOwn(id: string): boolean {
  return ids.has(id);
}
