/** The table of bends: every scene with every way to break exactly one part of its packet. */

import type { Version } from '../../harness/spec/index.ts';
import type { Bend, Change } from '../../harness/wire/bend.ts';
import { type Part, parts } from '../../harness/wire/encode.ts';
import { reasons } from '../../harness/wire/reasons.ts';
import { packetFrom } from '../data.ts';
import type { Random } from '../random.ts';
import type { PacketData } from '../script.ts';
import {
  clientIdChanges,
  filterChanges,
  lengthChanges,
  nameChanges,
  slashChanges,
  textChanges,
  variableForms,
} from './edges.ts';
import { surplusProperties } from './properties.ts';
import { type Scene, scenesOf } from './scenes.ts';

/** A scene, and mostly a bend that damages one part of its packet. */
export interface Bent {
  readonly scene: Scene;
  readonly bend?: Bend;
}

/** What can be done to a part whatever it is. */
const anyChange: readonly Change[] = [[], { repeat: 2 }, { append: [0] }];

const codes: readonly Change[] = [...new Set([...reasons.map(({ code }) => code), 3, 5, 0x20, 0x7f, 0xa3, 0xff])].map(
  (code) => [code],
);

const surplus: readonly Change[] = [
  [0],
  [0, 0],
  [0xc0, 0x00],
  [0xe0, 0x00],
  [0x00, 0x01, 0x61],
  [0x26, 0, 1, 0x61, 0, 1, 0x62],
  Array<number>(200).fill(0),
];

/** What to do with a part of this name; first what fits its kind best. */
function changesOf({ name, bytes }: Part): readonly Change[] {
  const byte = bytes[0] ?? 0;
  if (name === 'header') return others(byte, 16).map((flags) => [(byte & 0xf0) | (flags & 0x0f)]);
  if (name === 'remainingLength' || name.endsWith('properties.length')) return variableForms(numberOf(bytes));
  if (name.endsWith('properties.other')) return surplusProperties.map((each) => ({ append: each }));
  if (name === 'surplus') return surplus;
  if (name === 'connectFlags') return [...flipped(byte), ...anyChange];
  if (name === 'acknowledgeFlags') return [[1], [2], [0x80], [0xff], ...anyChange];
  if (name === 'protocolLevel') return [[0], [3], [4], [5], [6], [0x83], [0x84], [0xff], ...anyChange];
  if (/options$/.test(name)) return [...flipped(byte), [3], [0xff], [0x30], ...anyChange];
  if (/^codes?(\.\d+)?$/.test(name)) return [...codes, ...anyChange];
  if (/packetId|keepAlive/.test(name)) return [[0, 0], [0xff, 0xff], [0, 1], { keep: 1 }, ...anyChange];
  if (/\.length$/.test(name)) return [...lengthChanges, { keep: 1 }, ...anyChange];
  if (/^properties\.|\.properties\./.test(name)) return [...cuts(bytes), ...endings(bytes), ...anyChange];
  return [...contentOf(name, bytes), ...anyChange];
}

/** Text and payloads. */
function contentOf(name: string, bytes: Uint8Array): readonly Change[] {
  const slash = bytes.length === 1 && bytes[0] === 0x2f;
  if (/payload|password/.test(name)) return [{ repeat: 50 }, { repeat: 30_000 }, { append: [0xff, 0x00] }];
  if (slash) return slashChanges;
  if (name === 'protocolName') return [...protocolNames, ...textChanges.slice(0, 6)];
  if (name === 'clientId') return [...clientIdChanges, ...textChanges];
  if (/topic$/.test(name)) return [...nameChanges, ...textChanges];
  if (/filter$/.test(name)) return [...filterChanges, ...textChanges];
  return textChanges;
}

const protocolNames: readonly Change[] = ['', 'MQIsdp', 'mqtt', 'MQTX', 'MQT', 'MQTT5', 'HTTP'].map((name) => [
  ...Buffer.from(name, 'latin1'),
]);

/** The part with each bit changed, and each two neighbours. */
function flipped(byte: number): readonly Change[] {
  const masks = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bit) => (bit < 7 ? [1 << bit, 3 << bit] : [1 << bit]));
  return [...masks, 0xff].map((mask) => [byte ^ mask]);
}

function others(value: number, limit: number): readonly number[] {
  return Array.from({ length: limit }, (_, each) => each).filter((each) => each !== value % limit);
}

/** The property cut off after each of its first bytes. */
function cuts(bytes: Uint8Array): readonly Change[] {
  return Array.from({ length: Math.min(bytes.length, 8) }, (_, keep) => ({ keep }));
}

/** The property with other last bytes: the lowest and the highest value of a number, ill-formed text. */
function endings(bytes: Uint8Array): readonly Change[] {
  return [0x00, 0xff, 0x80].map((end) => [...bytes.subarray(0, -1), end]);
}

function numberOf(variable: Uint8Array): number {
  return variable.reduce((sum, byte, at) => sum + (byte & 0x7f) * 128 ** at, 0);
}

/** What can be done to each part of the packet of a scene, the parts in the order of the wire. Some changes leave it as it is. */
function changesIn(scene: Scene): readonly Bend[][] {
  return scene.parts.map((part) => changesOf(part).map((change): Bend => ({ [part.name]: change })));
}

const made = new Map<Scene, readonly Bend[][]>();

/** The bends of each part of the packet of a scene; made when they are first asked for. */
export function bendsOf(scene: Scene): readonly (readonly Bend[])[] {
  const all = made.get(scene) ?? changesIn(scene);
  made.set(scene, all);
  return all;
}

/** A bend of one part of any packet; throws the `RangeError` of `parts` for one that can't be written. */
export function bendFor(random: Random, packet: PacketData, version: Version): Bend {
  const part = random.pick(parts(packetFrom(packet), version));
  return { [part.name]: random.pick(changesOf(part)) };
}

const tables = new Map<string, readonly Bent[]>();

/**
 * Every scene of these versions as it is, and those that are not aside with every bend of one part. Where a packet of the same type had a
 * part of the same name before, only some of its bends come again: in other scenes other ones.
 */
export function bends(versions: readonly Version[]): readonly Bent[] {
  const key = versions.join();
  const table = tables.get(key) ?? tableOf(scenesOf(versions));
  tables.set(key, table);
  return table;
}

/** Of the bends of a part that was there before, one in so many. */
const thinning = 8;

function tableOf(chosen: readonly Scene[]): readonly Bent[] {
  const seen = new Map<string, number>();
  const bent = chosen
    .filter(({ aside }) => !aside)
    .flatMap((scene) =>
      bendsOf(scene)
        .flatMap((each, at) => {
          const key = `${scene.version} ${scene.packet.type} ${scene.parts[at]?.name}`;
          const times = seen.get(key) ?? 0;
          seen.set(key, times + 1);
          return each.filter((_, index) => times === 0 || index % thinning === times % thinning);
        })
        .map((bend): Bent => ({ scene, bend })),
    );
  return [...chosen.map((scene) => ({ scene })), ...bent];
}
