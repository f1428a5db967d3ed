/** What happened when a script was played: every packet of every connection in the order in which this side saw it, in the terms of the script. */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import type { Malformed } from '../harness/wire/malformed.ts';
import type { Packet } from '../harness/wire/packet.ts';
import type { Script } from './script.ts';

/**
 * Stands for the name of the case in topics, Client Identifiers and payloads of a script, also inside of hex. Whenever a script is played,
 * these six bytes are replaced in all that is sent by six others of 0-9a-z that no other play of the run has, and put back in all that is
 * received. So cases can be played side by side and again without meeting each other's sessions and messages, and what is recorded is the same
 * every time. Names without it are shared by all: such messages may come from anywhere, and a script that wants to be judged by its state avoids them.
 */
export const caseName = 'CASE00';

interface Stamp {
  /** Index into `script.clients`. */
  readonly client: number;
  /** Counts the network connections of a play from 0, over all clients. */
  readonly connection: number;
  /** Index of the step at work; `script.steps.length` in the fence at the end. */
  readonly step: number;
  /** Milliseconds since the play began, by the clock of the play. */
  readonly atMs: number;
}

/** One thing that happened. Its index in `happened` is its order stamp, over all connections. */
export type Happening =
  /** A network connection was opened. */
  | (Stamp & { readonly what: 'opened' })
  /** Bytes of one `send` or `raw` step, or of what `acknowledge` and `fence` send by themselves. */
  | (Stamp & {
      readonly what: 'sent';
      readonly bytes: Uint8Array;
      /** The packet that was meant, of any step but `raw`; as bytes it may be bent. */
      readonly packet: Packet | undefined;
      readonly bent: boolean;
    })
  /** One whole packet from the broker: decoded, or what is wrong with it. After a stream that cannot be framed nothing more is recorded of it. */
  | (Stamp & { readonly what: 'received'; readonly bytes: Uint8Array } & (
        | { readonly packet: Packet; readonly malformed: undefined }
        | { readonly packet: undefined; readonly malformed: Malformed }
      ))
  /** The client's side was closed (FIN); the broker may still answer. */
  | (Stamp & { readonly what: 'half-closed' })
  /** The client stopped reading, or began again: what is received from then on may have been sent at any time since it stopped. */
  | (Stamp & { readonly what: 'paused' | 'resumed' })
  /** The connection is over: by the broker (`FIN`, `RST` …), or by the client, which dropped it. */
  | (Stamp & { readonly what: 'closed'; readonly by: 'broker' | 'client'; readonly how: string })
  /** What was waited for did not come in time: the PINGRESP of a fence, the CONNACK before it, or the close after a half-close. */
  | (Stamp & { readonly what: 'late'; readonly missing: 'CONNACK' | 'PINGRESP' | 'close'; readonly afterMs: number });

/** A whole packet of the stream that the client sent, as a strict broker reads it, however the steps cut it. */
export interface SentPacket {
  readonly bytes: Uint8Array;
  /** Orders of the happenings that its first and its last byte were sent in. */
  readonly from: number;
  readonly order: number;
  /** Undefined when it cannot be decoded. */
  readonly packet: Packet | undefined;
  /** What is wrong with it, if anything is. */
  readonly fault: Malformed | undefined;
  /**
   * - `fair`: nothing speaks against reading it;
   * - `open`: the broker is free to end the connection here, or should have before: a form that is only discouraged, what follows a DISCONNECT,
   *   another protocol;
   * - `void`: the broker has to end the connection here, or had to before: it must have no effect and no answer.
   */
  readonly fate: 'fair' | 'open' | 'void';
}

export interface ReceivedPacket {
  readonly order: number;
  readonly bytes: Uint8Array;
  readonly packet: Packet | undefined;
  readonly malformed: Malformed | undefined;
}

/** One network connection, both streams as packets. */
export interface Connection {
  readonly client: number;
  readonly connection: number;
  /** As the CONNECT says, by its Protocol Level; undefined if the first packet is no CONNECT, or one of another level. */
  readonly version: Version | undefined;
  readonly sent: readonly SentPacket[];
  /** Bytes sent that are the begin of a packet; the broker may wait for the rest. 0 after a Remaining Length that never ends. */
  readonly unfinished: number;
  readonly received: readonly ReceivedPacket[];
  /** Index of the first packet of `sent` that the broker has to end the connection at. */
  readonly firstFault: number | undefined;
  /** Order of the close, and who closed. Undefined for a connection that was open when waiting for its end was given up. */
  readonly closed: { readonly order: number; readonly by: 'broker' | 'client'; readonly how: string } | undefined;
  /** Order of the client's FIN. */
  readonly halfClosed: number | undefined;
  /** When the client stopped reading for the first time, and when it read on for the last time (`Infinity` if it did not); undefined if it read all the time. */
  readonly stall: { readonly from: number; readonly to: number } | undefined;
}

/** What a play leaves: the input of every oracle. (Not `Record`: TypeScript has one.) */
export interface Recording {
  readonly script: Script;
  /** What stood in place of `caseName` on the wire. */
  readonly name: string;
  readonly happened: readonly Happening[];
  /** The same by connection, in the order of opening. */
  readonly connections: readonly Connection[];
  /** Orders of the happenings of kind `late`. */
  readonly late: readonly number[];
  readonly durationMs: number;
  /** Whether the broker answers what came before a FIN (found out once at the start): if not, silence before a close says nothing. */
  readonly answersBeforeClose: boolean;
  /** Set when the target could not be reached in the middle of the play: what is there is all that happened. */
  readonly unreachable?: string;
}

/** What an oracle found. */
export interface Finding {
  readonly oracle: 'alive' | 'standard' | 'history' | 'resources';
  /** The requirements that are broken, the one to name first; empty where none is (a crash, a leak). */
  readonly requirements: readonly RequirementId[];
  /** Every outcome that would have been right. */
  readonly expected: readonly string[];
  readonly actual: string;
  /** Short and stable: what makes two findings the same one, without names, identifiers and numbers that vary. */
  readonly kind: string;
  /** Order of the happening where it shows. */
  readonly at?: number;
  /** The standard leaves it open, or this side cannot tell: reported apart, never a failure. */
  readonly unclear?: true;
}

/** An oracle over a single play: a pure function. */
export type Oracle = (recording: Recording) => readonly Finding[];
