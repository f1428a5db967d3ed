/** The cases of a run: a script for each number of a seed, the same every time and in any order. */

import type { Version } from '../harness/spec/index.ts';
import { byteScript } from './generate/bytes.ts';
import { packetScript } from './generate/packets.ts';
import { sessionScript } from './generate/sessions.ts';
import { Random } from './random.ts';
import type { Script } from './script.ts';

/** What a script is made of: damaged bytes, a damaged part of a packet, or what several clients do. */
export type Kind = 'bytes' | 'packets' | 'sessions';

export const kinds: readonly Kind[] = ['bytes', 'packets', 'sessions'];

const bothVersions: readonly Version[] = ['v3', 'v5'];

/** As often as each stands here, in turn. */
const turns: readonly Kind[] = ['packets', 'sessions', 'packets', 'bytes'];

/** The kind of the case with this number (from 0). */
export function kindOf(index: number): Kind {
  return turns[index % turns.length] as Kind;
}

/** How many cases of its kind came before it. */
function ordinalOf(index: number, kind: Kind): number {
  const among = turns.filter((each) => each === kind).length;
  const before = turns.slice(0, index % turns.length).filter((each) => each === kind).length;
  return Math.floor(index / turns.length) * among + before;
}

/**
 * The case with this number (from 0) of a seed: the same for the same arguments. All its topics and Client Identifiers contain the name of
 * the case (see `caseName`) but for some edge forms that match nothing else.
 * @param only the single kind to make; all of them in turn unless given
 * @param versions what the clients of the script speak
 */
export function generate(
  seed: string,
  index: number,
  only?: Kind,
  versions: readonly Version[] = bothVersions,
): Script {
  const kind = only ?? kindOf(index);
  const ordinal = only ? index : ordinalOf(index, kind);
  const random = new Random(`${seed}/${kind}`, ordinal);
  switch (kind) {
    case 'bytes':
      return byteScript(random, versions, ordinal);
    case 'packets':
      return packetScript(random, versions, ordinal, new Random(seed).uint32());
    case 'sessions':
      return sessionScript(random, versions, ordinal);
  }
}
