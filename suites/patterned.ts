/** Payloads that are unlike themselves anywhere, so that no byte can be lost, doubled or moved without notice. */

/** So many bytes of every value, in no simple order. */
export function patterned(size: number): Uint8Array {
  // Some cases send 2 MiB: a callback for each byte would take longer than the broker.
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff;
  return bytes;
}
