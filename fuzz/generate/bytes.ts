/** Scripts with a stream of bytes that was damaged without regard for what it says. */

import type { Version } from '../../harness/spec/index.ts';
import { fromNumbers } from '../../harness/wire/bend.ts';
import { remainingLength } from '../../harness/wire/length.ts';
import type { Random } from '../random.ts';
import { caseName } from '../record.ts';
import type { Script, Step } from '../script.ts';
import { textEdges, variableForms } from './edges.ts';
import { around } from './packets.ts';
import { type Scene, scenes, scenesOf } from './scenes.ts';

type Damage = (random: Random, scene: Scene) => readonly Uint8Array[];

/** A byte script. @param ordinal counts the byte scripts of this seed: each kind of damage has its turn. */
export function byteScript(random: Random, versions: readonly Version[], ordinal: number): Script {
  const scene = random.pick(scenesOf(versions));
  const damage = turns[ordinal % turns.length] as Damage;
  return around(random, versions, scene, damage(random, scene).map(raw));
}

function raw(bytes: Uint8Array): Step {
  return { client: 0, do: 'raw', hex: hexOf(bytes) };
}

/** Bytes as a `raw` step has them. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

const join = (...pieces: readonly (Uint8Array | readonly number[])[]) =>
  Buffer.concat(pieces.map((piece) => (piece instanceof Uint8Array ? piece : fromNumbers(piece))));

/** What stands behind the fixed header. */
function bodyOf({ bytes, parts }: Scene): Uint8Array {
  return bytes.subarray(1 + (parts[1]?.bytes.length ?? 1));
}

function headerOf({ bytes }: Scene): number {
  return bytes[0] ?? 0;
}

/** A packet whose Remaining Length fits. */
function framed(header: number, body: Uint8Array): Buffer {
  return join([header], remainingLength(body.length), body);
}

/** Every malformed or odd form of Remaining Length before an unharmed body. */
const otherLength: Damage = (random, scene) => {
  const body = bodyOf(scene);
  return [join([headerOf(scene)], random.pick(variableForms(body.length)), body)];
};

/** Any of the 256 first bytes. */
const otherHeader: Damage = (random, scene) => [join([random.below(256)], scene.bytes.subarray(1))];

/** Any of the 256 first bytes, with a body of little or nothing. */
const bareHeader: Damage = (random) => [
  framed(
    random.below(256),
    random.pick([[], [0], [0, 1], [0, 0], [0, 1, 0], [0, 0, 0]].map((each) => Buffer.from(each))),
  ),
];

/** Cut off at any offset: with the length that was declared, so that the rest is missing, or with one that fits. */
const truncated: Damage = (random, scene) => {
  const kept = random.between(1, scene.bytes.length - 1);
  if (random.oneIn(2)) return [scene.bytes.subarray(0, kept)];
  const body = bodyOf(scene);
  return [framed(headerOf(scene), body.subarray(0, random.below(body.length + 1)))];
};

/** Where a body is changed in one to three places, behind a Remaining Length that fits or has stayed as it was. */
const scratched: Damage = (random, scene) => {
  let body: Uint8Array = bodyOf(scene);
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) body = scratch(random, body);
  if (random.oneIn(4)) return [join(scene.bytes.subarray(0, scene.bytes.length - bodyOf(scene).length), body)];
  return [framed(headerOf(scene), body)];
};

const telling = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff];

/**
 * One insertion, deletion, replacement, flipped bit, or doubled stretch. Not within the name of the case: what is left of it would not be
 * replaced when the script is played, and could meet another play.
 */
export function scratch(random: Random, bytes: Uint8Array): Uint8Array {
  const names = namesIn(bytes);
  for (let attempt = 0; attempt < 6; attempt++) {
    const scratched = scratchAnywhere(random, bytes);
    if (namesIn(scratched) >= names) return scratched;
  }
  return join(bytes, random.bytes(1));
}

function namesIn(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = buffer.indexOf(caseName); at >= 0; at = buffer.indexOf(caseName, at + 1)) count++;
  return count;
}

function scratchAnywhere(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const count = random.pick([1, 1, 2, 4]);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0:
      return join(head, random.bytes(count), tail);
    case 1:
      return join(head, tail.subarray(count));
    case 2:
      return join(head, [random.pick(telling)], tail.subarray(1));
    case 3:
      return join(head, [(tail[0] ?? 0) ^ (1 << random.below(8))], tail.subarray(1));
    case 4:
      return join(head, tail.subarray(0, count * 4), tail);
    default:
      return join(head, random.pick(textEdges), tail);
  }
}

/** Each two-byte length within the body at its edges; the body stays. */
const otherInnerLength: Damage = (random, scene) => {
  const lengths = scene.parts.filter(({ name, bytes }) => name.endsWith('.length') && bytes.length === 2);
  if (lengths.length === 0) return otherLength(random, scene);
  const chosen = random.pick(lengths);
  const right = Buffer.from(chosen.bytes).readUInt16BE();
  const left = bodyOf(scene).length;
  const wrong = random.pick([0, 1, right - 1, right + 1, right + 2, left, left - 2, 0x7fff, 0x8000, 0xffff]) & 0xffff;
  return [join(...scene.parts.map((part) => (part === chosen ? [wrong >> 8, wrong & 0xff] : part.bytes)))];
};

/** The head of one packet and the tail of another. */
const spliced: Damage = (random, scene) => {
  const [one, other] = [bodyOf(scene), bodyOf(random.pick(scenes))];
  const body = join(one.subarray(0, cutOf(random, one)), other.subarray(cutOf(random, other)));
  return [random.oneIn(3) ? join(scene.bytes.subarray(0, 2), body) : framed(headerOf(scene), body)];
};

const topicBytes = Buffer.from(`${caseName}/a`, 'latin1');
const hiddenTopic = Buffer.from(`${caseName}/hidden`, 'latin1');
/** Whole packets of which each has an effect, should a broker take the inside of another packet for packets. */
const hidden: readonly Uint8Array[] = [
  Buffer.from([0xc0, 0x00]),
  Buffer.from([0xe0, 0x00]),
  framed(0x30, join([0, hiddenTopic.length], hiddenTopic, [0x68])),
  framed(0x32, join([0, hiddenTopic.length], hiddenTopic, [0, 9, 0x68])),
  framed(0x82, join([0, 9, 0, hiddenTopic.length], hiddenTopic, [0])),
  Buffer.from([0x40, 0x02, 0x00, 0x01]),
];

/** Packets hidden in a payload, behind a length that is right, or so wrong that the broker may lose its place. */
const hiding: Damage = (random, { version }) => {
  const one = random.pick(hidden);
  const payload = Buffer.concat(Array.from({ length: random.pick([1, 2, 3, 40]) }, () => one));
  const wrong = random.pick([0, 0, 0, 1, -1, 2, -2, payload.length, topicBytes.length + 2]);
  const length = topicBytes.length + (random.oneIn(2) ? wrong : 0);
  const none = version === 'v5' ? [0] : [];
  const body = join([length >> 8, length & 0xff], topicBytes, none, payload);
  const header = random.pick([0x30, 0x30, 0x38, 0x36]);
  if (random.oneIn(2)) return [framed(header, body)];
  return [join([header], random.pick(variableForms(body.length)), body)];
};

/** Packets as they should be, cut into pieces at any offset, and each piece sent alone. */
const inPieces: Damage = (random, { bytes }) => {
  const all = random.oneIn(4);
  const at = random.below(bytes.length);
  const cuts = [...bytes.keys()].filter((cut) => (all ? cut < 40 : cut === at) && !isInName(bytes, cut));
  return [0, ...cuts]
    .map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length))
    .filter((piece) => piece.length > 0);
};

/** A place to cut. */
function cutOf(random: Random, bytes: Uint8Array): number {
  const cut = random.below(bytes.length + 1);
  return isInName(bytes, cut) ? bytes.length : cut;
}

/** Whether a cut would go through the name of the case, which then would not be replaced when the script is played. */
function isInName(bytes: Uint8Array, cut: number): boolean {
  const start = Buffer.from(bytes).indexOf(caseName, Math.max(0, cut - caseName.length + 1), 'latin1');
  return start >= 0 && start < cut;
}

/** Several packets in one write, whole and broken ones in a row. */
const pipelined: Damage = (random, scene) => {
  const row = [scene.bytes, random.pick(scenes).bytes, random.pick(scenes).bytes];
  const broken = random.below(4);
  return [join(...row.map((bytes, at) => (at === broken ? scratch(random, bytes) : bytes)))];
};

/** Noise: nothing, random bytes, one byte over and over, another protocol. */
const noise: Damage = (random) => {
  const length = random.pick([1, 2, 3, 5, 17, 64, 300]);
  return [
    random.pick([
      () => random.bytes(length),
      () => new Uint8Array(length).fill(random.pick(telling)),
      () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1'),
      () => join([0x16, 0x03, 0x01, 0x00, 0x40], random.bytes(length)),
    ])(),
  ];
};

/** As often as each stands here. */
const turns: readonly Damage[] = [
  otherLength,
  otherHeader,
  truncated,
  scratched,
  otherInnerLength,
  hiding,
  scratched,
  bareHeader,
  spliced,
  truncated,
  pipelined,
  otherLength,
  inPieces,
  scratched,
  noise,
  otherInnerLength,
];
