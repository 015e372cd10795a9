/** `400 members, 64 B`. */
export function describe(members: number, size: number): string {
  return `${members.toLocaleString("en")} members, ${bytes(size)}`;
}

/** `16 a turn`. */
export function aTurn(perTurn: number): string {
  return `${perTurn} a turn`;
}

export function bytes(size: number): string {
  return size >= 1024 && size % 1024 === 0 ? `${size / 1024} KiB` : `${size} B`;
}
