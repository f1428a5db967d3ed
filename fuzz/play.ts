/** The interpreter of scripts: plays one on network connections of its own, and records what happens. */

import type { Clock } from '../harness/clock.ts';
import { Unreachable } from '../harness/errors.ts';
import type { Credentials } from '../harness/target.ts';
import type { Transport } from '../harness/transport.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { introduced } from './credentials.ts';
import { Journal } from './journal.ts';
import { type Common, Line } from './line.ts';
import { caseName, type Recording } from './record.ts';
import { bytesIn, type PacketData, type Script, type Step } from './script.ts';
import { type Written, written } from './written.ts';

/** What the target does when a client half-closes, found out once (see `fence.ts`). */
export interface Manners {
  /** What came before the FIN is answered before the close: then the FIN is the fence at the end of each case. */
  readonly answersBeforeClose: boolean;
  /** It closes at all. */
  readonly closesAfterFin: boolean;
}

/** Where scripts are played. */
export interface Stage {
  readonly transport: Transport;
  readonly clock: Clock;
  /** How long any answer may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly manners: Manners;
  /** What a CONNECT without a user name gets. */
  readonly credentials?: Credentials;
}

/** The same stage for those who need not wait long. */
export function hasty(stage: Stage): Stage {
  return { ...stage, timeoutMs: Math.min(stage.timeoutMs, 2_000) };
}

/** What lets itself be answered without end is left after so many rounds. */
const roundsAtMost = 100;
/** Six bytes of 0-9a-z: as long as `caseName`, so that no length changes. */
const names = 36 ** caseName.length;
const ping: PacketData = { type: 'PINGREQ' };
let plays = Math.floor(Math.random() * names);

/**
 * Plays a script to its end. Rejects with Unreachable only if no connection could be made at all.
 * @param name stands for `caseName`: six characters of 0-9a-z, of this play alone unless it has to do with an earlier one
 */
export async function play(script: Script, stage: Stage, name = freshName()): Promise<Recording> {
  return new Play(script, stage, Buffer.from(name)).run();
}

function freshName(): string {
  return (plays++ % names).toString(36).padStart(caseName.length, '0');
}

/**
 * More than a broker has reason to send for a script: some copies of each message, each some times. A target that sends without end must not fill
 * memory, not even on all connections of all cases that run side by side.
 */
function limitsOf(script: Script): Common['limits'] {
  return { bytes: 2 ** 21 + 8 * bytesIn(script), packets: 5_000 + 8 * script.steps.length };
}

class Play {
  readonly #script: Script;
  readonly #stage: Stage;
  readonly #name: Buffer;
  readonly #journal: Journal;
  /** The connection of each client that is still of use. */
  readonly #lines: (Line | undefined)[] = [];
  readonly #opened: Line[] = [];
  #wake: (() => void) | undefined;
  readonly #common: Common;

  constructor(script: Script, stage: Stage, name: Buffer) {
    this.#script = script;
    this.#stage = stage;
    this.#name = name;
    this.#journal = new Journal(stage.clock);
    this.#common = { name, journal: this.#journal, limits: limitsOf(script), wake: () => this.#wake?.() };
  }

  async run(): Promise<Recording> {
    let unreachable: string | undefined;
    try {
      let last = -1;
      for (const step of this.#script.steps) {
        // Steps of one client in a row go out together; what another one does comes after them.
        if (step.client !== last) this.#lines[last]?.flush();
        last = step.client;
        const waiting = this.#take(step);
        if (waiting) await waiting;
        this.#journal.step++;
      }
      await this.#finish();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (this.#opened.length === 0) throw error;
      unreachable = error.message;
    } finally {
      for (const line of this.#lines) line?.drop();
    }
    return {
      script: this.#script,
      name: this.#name.toString(),
      happened: this.#journal.happened,
      late: this.#journal.late,
      connections: this.#opened.map((line) => line.view),
      durationMs: this.#journal.now(),
      answersBeforeClose: this.#stage.manners.answersBeforeClose,
      ...(unreachable !== undefined && { unreachable }),
    };
  }

  /** Takes one step; a promise only where there is something to wait for, which most steps have not. */
  #take(step: Step): Promise<void> | undefined {
    const line = this.#lines[step.client];
    switch (step.do) {
      case 'open':
        return line?.isOpen ? undefined : this.#open(step.client).then(() => {});
      case 'send':
      case 'raw':
        if (line?.isOpen) return this.#put(line, step);
        return this.#open(step.client).then((opened) => this.#put(opened, step));
      case 'fence':
        return line?.isOpen ? this.#fence(line) : undefined;
      case 'acknowledge':
        return line?.isOpen ? this.#acknowledge(line, step.rounds ?? roundsAtMost) : undefined;
      case 'wait':
        return this.#wait(step.ms);
      case 'pause':
        line?.pause();
        return;
      case 'resume':
        line?.resume();
        return;
      case 'drop':
        line?.drop();
        return;
      case 'close':
        if (!line?.isOpen) return;
        line.halfClose();
        return this.#ended([line]);
    }
  }

  async #open(client: number): Promise<Line> {
    const line = new Line(client, this.#opened.length, this.#versionOf(client), this.#common);
    const link = await this.#stage.transport.open(line, this.#stage.timeoutMs);
    this.#opened.push(line);
    this.#lines[client] = line;
    line.attach(link);
    return line;
  }

  #versionOf(client: number) {
    return this.#script.clients[client]?.version ?? 'v3';
  }

  #put(line: Line, step: Step & { do: 'send' | 'raw' }): undefined {
    if (step.do === 'raw') {
      const bytes = Buffer.from(step.hex, 'hex');
      line.send(this.#introduced(line, bytes) ?? bytes, undefined, false);
      return;
    }
    try {
      this.#say(line, written(step.packet, line.version, step.bend));
    } catch (error) {
      // What can't be written (a bend of a part that a shrunk packet no longer has, a string that is too long) is no step at all.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  #say(line: Line, known: Written): void {
    const introduced = this.#introduced(line, known.bytes);
    if (introduced) line.send(introduced, known.packet, known.isBent);
    else line.send(known.bytes, known.packet, known.isBent, known);
  }

  /** The first packet of a connection with the credentials, where there are any to add. */
  #introduced(line: Line, bytes: Uint8Array): Uint8Array | undefined {
    const { credentials } = this.#stage;
    return credentials && line.stream.isEmpty ? introduced(bytes, credentials) : undefined;
  }

  #send(line: Line, packet: Packet): void {
    line.send(encode(packet, line.version), packet, false);
  }

  /** A PINGREQ behind half a packet would be part of it: nothing can be waited for then, but the connection's end. */
  async #fence(line: Line): Promise<void> {
    line.resume();
    if (line.stream.isMidPacket) return;
    this.#say(line, written(ping, line.version));
    const { pingreqs, isFair } = line.stream;
    // A broker that neither answers nor closes after what it should have closed for would hold up the run for nothing.
    const patienceMs = isFair ? this.#stage.timeoutMs : this.#stage.timeoutMs / 10;
    if (await this.#until(() => !line.isOpen || line.pingresps >= pingreqs, patienceMs)) return;
    line.late(line.isLetIn ? 'PINGRESP' : 'CONNACK', patienceMs);
  }

  async #acknowledge(line: Line, rounds: number): Promise<void> {
    for (let round = 0; round < rounds && line.isOpen; round++) {
      await this.#fence(line);
      const due = line.takeDue();
      if (due.length === 0) return;
      for (const packet of due) this.#send(line, packet);
    }
  }

  /** The fence at the end: FIN where the target answers before it closes, else a PINGREQ round trip. */
  async #finish(): Promise<void> {
    const { answersBeforeClose, closesAfterFin } = this.#stage.manners;
    const open = this.#lines.filter((line) => line?.isOpen) as Line[];
    // All of them first: a broker may hold one client up until another one reads.
    for (const line of open) line.resume();
    if (!answersBeforeClose)
      await Promise.all(open.filter((line) => !line.stream.isEmpty).map((line) => this.#fence(line)));
    for (const line of open) {
      if (closesAfterFin) line.halfClose();
      else line.drop();
    }
    await this.#ended(open);
  }

  async #ended(lines: readonly Line[]): Promise<void> {
    if (await this.#until(() => lines.every((line) => line.isOver))) return;
    for (const line of lines) {
      if (line.isOver) continue;
      line.late('close', this.#stage.timeoutMs);
      line.drop();
    }
  }

  async #wait(ms: number): Promise<void> {
    for (const line of this.#lines) line?.flush();
    await new Promise<void>((resolve) => this.#stage.clock.after(ms, resolve));
  }

  /** Resolves with true when `look` does, with false when the time is up. Several may wait at once. */
  async #until(look: () => boolean, timeoutMs = this.#stage.timeoutMs): Promise<boolean> {
    for (const line of this.#lines) line?.flush();
    if (look()) return true;
    return new Promise((resolve) => {
      const before = this.#wake;
      const settle = (result: boolean) => {
        cancel();
        if (this.#wake === wake) this.#wake = before;
        done = true;
        resolve(result);
      };
      let done = false;
      const wake = () => {
        before?.();
        if (!done && look()) settle(true);
      };
      const cancel = this.#stage.clock.after(timeoutMs, () => {
        if (!done) settle(look());
      });
      this.#wake = wake;
    });
  }
}
