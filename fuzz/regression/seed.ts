/** What an entry of the regression corpus is, and how its scripts are written. */

import type { Version } from '../../harness/spec/index.ts';
import type { Bend } from '../../harness/wire/bend.ts';
import type { PacketData, Script, Step } from '../script.ts';

export interface Seed {
  /** A slug that never changes: a-z, 0-9 and `-`. */
  readonly name: string;
  /** Why it is here: the bug, or the edge. */
  readonly about: string;
  readonly script: Script;
}

export function seed(name: string, about: string, script: Script): Seed {
  return { name, about, script };
}

/** A script of one client. */
export function one(version: Version, ...steps: readonly Step[]): Script {
  return { clients: [{ version }], steps };
}

/** A script of several clients. */
export function several(versions: readonly Version[], ...steps: readonly Step[]): Script {
  return { clients: versions.map((version) => ({ version })), steps };
}

/** A step of client 0 that sends a damaged packet. */
export function bent(packet: PacketData, bend: Bend): Step {
  return { client: 0, do: 'send', packet, bend };
}

/** A step that sends bytes, written with spaces where it pleases. */
export function raw(hex: string, client = 0): Step {
  return { client, do: 'raw', hex: hex.replaceAll(' ', '') };
}

/** Text as it stands in hex. */
export function hexOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}
