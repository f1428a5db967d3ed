/** A door into a broker: it lets in one client after the other, and those that stand in line must not be too many. */

import type { Clock } from './clock.ts';
import type { Transport } from './transport.ts';

/** Who has got no answer by then may not wait for any, in milliseconds. */
const patienceMs = 1000;

/**
 * The same transport, but with no more than `width` connections at a time that are new and have not been answered yet. A broker may accept
 * no more than one in each turn of its event loop: of hundreds that are opened at once, the last would be answered too late.
 */
export function throughDoor(transport: Transport, clock: Clock, width: number): Transport {
  let inside = 0;
  const line: (() => void)[] = [];
  return {
    async open(events, timeoutMs) {
      while (inside >= Math.max(1, width)) await new Promise<void>((resolve) => line.push(resolve));
      inside++;
      let left = false;
      const leave = () => {
        if (left) return;
        left = true;
        cancel();
        inside--;
        line.shift()?.();
      };
      const cancel = clock.after(patienceMs, leave);
      const data = (bytes: Uint8Array) => {
        leave();
        events.data(bytes);
      };
      const closed = (how: string) => {
        leave();
        events.closed(how);
      };
      try {
        return await transport.open({ data, closed }, timeoutMs);
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}
