/** Scripts of a compliant client that breaks exactly one part of one packet, and of one that breaks none. */

import type { Version } from '../../harness/spec/index.ts';
import type { Bend } from '../../harness/wire/bend.ts';
import type { Random } from '../random.ts';
import type { Script, Step } from '../script.ts';
import { type Bent, bends, bendsOf } from './bends.ts';
import { connectOf, fence, publishOf, type Scene, scenesOf, send, subscribeOf, topic } from './scenes.ts';

/** A step of the walk through the table that has no factor in common with its size, so that none is left out. */
function stride(size: number): number {
  let candidate = Math.floor(size * 0.618) | 1;
  while (common(candidate, size) > 1) candidate += 2;
  return candidate;
}

function common(a: number, b: number): number {
  return b === 0 ? a : common(b, a % b);
}

/**
 * A packet script. Three of four walk through the table of bends, each exactly once per round; the others pick freely, with no bend, one, or
 * two.
 * @param ordinal counts the packet scripts of this seed
 * @param start where the walk of this seed begins
 */
export function packetScript(random: Random, versions: readonly Version[], ordinal: number, start: number): Script {
  if (ordinal % 4 < 3) {
    const table = bends(versions);
    const at = Math.floor(ordinal / 4) * 3 + (ordinal % 4);
    const { scene, bend } = table[(start + at * stride(table.length)) % table.length] as Bent;
    return scriptOf(random, versions, scene, bend);
  }
  const scene = random.pick(scenesOf(versions));
  if (random.oneIn(4)) return scriptOf(random, versions, scene);
  const bend = someBend(random, scene);
  return scriptOf(random, versions, scene, random.oneIn(4) ? { ...someBend(random, scene), ...bend } : bend);
}

function someBend(random: Random, scene: Scene): Bend {
  const part = random.pick(bendsOf(scene));
  return part.length > 0 ? random.pick(part) : { surplus: { append: [0] } };
}

/** The steps around a damaged packet: who watches it, what goes before, and what shows that the broker still serves. */
function scriptOf(random: Random, versions: readonly Version[], scene: Scene, bend?: Bend): Script {
  const damaged: Step = { client: 0, do: 'send', packet: scene.packet, ...(bend && { bend }) };
  // A broker that passes over a CONNECT without an answer shows it only by what it makes of the next one.
  const isConnect = scene.packet.type === 'CONNECT' && bend !== undefined && random.oneIn(3);
  const next = isConnect ? [send(connectOf(scene.version, 'a'))] : [];
  return around(random, versions, scene, [damaged, ...next]);
}

const ping = send({ type: 'PINGREQ' });
const before: readonly Step[] = [
  send(publishOf(1, { topic: `${topic}/before`, packetId: 77, payload: 'before' })),
  ping,
  send(subscribeOf(1, `${topic}/before`, 78)),
];
const clients = {
  v3: { v3: [{ version: 'v3' }, { version: 'v3' }], v5: [{ version: 'v3' }, { version: 'v5' }] },
  v5: { v3: [{ version: 'v5' }, { version: 'v3' }], v5: [{ version: 'v5' }, { version: 'v5' }] },
} as const;
const alone = { v3: [{ version: 'v3' }], v5: [{ version: 'v5' }] } as const;

/** Who sees what the broker makes of the messages of client 0. */
const witness = { v3: watching('v3'), v5: watching('v5') };

function watching(version: Version): readonly Step[] {
  return [send(connectOf(version, 'b'), 1), send(subscribeOf(1), 1), fence(1)];
}

/**
 * The damaged steps in their scene, one time in four with a second client that is subscribed to all topics of the case: client 0 is then
 * closed first, so that all that it caused has arrived at the other one before the end.
 */
export function around(random: Random, versions: readonly Version[], scene: Scene, damaged: readonly Step[]): Script {
  const seen = random.oneIn(4);
  const other = random.pick(versions);
  const steps = [
    ...(seen ? witness[other] : []),
    ...scene.before,
    ...(scene.before.length > 0 && random.oneIn(6) ? before : []),
    ...damaged,
    ping,
    ...(seen ? [{ client: 0, do: 'close' } as const, fence(1)] : []),
  ];
  return { clients: seen ? clients[scene.version][other] : alone[scene.version], steps };
}
