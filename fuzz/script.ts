/** A fuzz case as data: what several clients do, one step after the other. Plain JSON, so that it can be kept, shrunk and replayed. */

import type { Version } from '../harness/spec/index.ts';
import type { Bend } from '../harness/wire/bend.ts';
import type { Packet } from '../harness/wire/packet.ts';

/** Bytes in JSON: text where they are printable ASCII, else hex; or text that is filled up with FF to so many bytes. */
export type Bytes = string | { readonly hex: string } | { readonly text: string; readonly length: number };

/** A packet in JSON: as in `wire/packet.ts`, with `Bytes` where that has bytes. */
export type PacketData<P = Packet> = P extends Uint8Array
  ? Bytes
  : P extends readonly (infer Item)[]
    ? readonly PacketData<Item>[]
    : P extends object
      ? { readonly [K in keyof P]: PacketData<P[K]> }
      : P;

/** One step. `client` is an index into `clients`. */
export type Step =
  /** Opens a network connection, for a client that has none; `send` and `raw` do it by themselves where it is left out. */
  | { readonly client: number; readonly do: 'open' }
  /** Sends a packet, bent if there is a bend. */
  | { readonly client: number; readonly do: 'send'; readonly packet: PacketData; readonly bend?: Bend }
  /** Sends bytes as they are, in hex. */
  | { readonly client: number; readonly do: 'raw'; readonly hex: string }
  /**
   * Fences, then answers what has come and is not answered: PUBACK, PUBREC, PUBREL, PUBCOMP as they are due; and again until nothing is due, or
   * for so many rounds, so that a handshake can be left at any step.
   */
  | { readonly client: number; readonly do: 'acknowledge'; readonly rounds?: number }
  /** Waits until all that was sent so far is processed: a PINGREQ round trip on a connected client; on one that has sent only a CONNECT its CONNACK is enough. */
  | { readonly client: number; readonly do: 'fence' }
  /** Lets time pass; at most some seconds. */
  | { readonly client: number; readonly do: 'wait'; readonly ms: number }
  /**
   * The client stops reading: what the broker sends fills the network, then whatever the broker has for it. Ends with `resume`, and by itself where the
   * client would wait for the broker: with `fence`, `acknowledge` and `close`, and at the end of the script.
   */
  | { readonly client: number; readonly do: 'pause' }
  /** The client reads on; without effect on one that has not stopped. */
  | { readonly client: number; readonly do: 'resume' }
  /** Ends the connection abruptly (TCP reset). */
  | { readonly client: number; readonly do: 'drop' }
  /** Ends the client's side (TCP FIN), and reads on until the broker has closed. */
  | { readonly client: number; readonly do: 'close' };

export interface ScriptClient {
  readonly version: Version;
}

/** How long a script lets time pass, in milliseconds. */
export function waitsMs({ steps }: Script): number {
  return steps.reduce((sum, step) => (step.do === 'wait' ? sum + step.ms : sum), 0);
}

/** About how many bytes the clients of a script send: those of its payloads and its `raw` steps, which are what can be many. */
export function bytesIn({ steps }: Script): number {
  let sum = 0;
  for (const step of steps) {
    if (step.do === 'raw') sum += step.hex.length / 2;
    else if (step.do === 'send' && step.packet.type === 'PUBLISH') sum += lengthOf(step.packet.payload);
  }
  return sum;
}

function lengthOf(bytes: Bytes): number {
  if (typeof bytes === 'string') return bytes.length;
  return 'hex' in bytes ? bytes.hex.length / 2 : bytes.length;
}

/** A case. Connections that are open at its end are half-closed and read until the broker closes them: the FIN fence. */
export interface Script {
  readonly clients: readonly ScriptClient[];
  readonly steps: readonly Step[];
}
