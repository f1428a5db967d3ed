/** New scripts from one that was worth keeping: a few small changes of its steps. */

import type { QoS } from '../../harness/wire/packet.ts';
import type { Random } from '../random.ts';
import type { PacketData, Script, ScriptClient, Step } from '../script.ts';
import { bytesOf } from '../written.ts';
import { bendFor } from './bends.ts';
import { hexOf, scratch } from './bytes.ts';
import { fence, send } from './scenes.ts';

/** Breeding again and again must not make scripts without end. */
const stepsAtMost = 60;

/** A script in the making. */
interface Draft {
  clients: ScriptClient[];
  steps: Step[];
}

type Mutation = (draft: Draft, random: Random, at: number) => void;

/** A script that differs from this one in one to three places. The same for the same numbers; the given one stays as it is. */
export function mutate(script: Script, random: Random): Script {
  const draft: Draft = { clients: [...script.clients], steps: [...script.steps] };
  for (let left = random.pick([1, 1, 2, 3]); left > 0; left--) {
    const at = random.below(draft.steps.length);
    const mutation = draft.steps.length === 0 ? insert : random.pick(mutations);
    try {
      mutation(draft, random, at);
    } catch (error) {
      // What can't be written has no bytes and no parts to damage.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const old = new Set(script.steps);
  const steps = draft.steps.filter((step) => old.has(step) || canBeWritten(step, draft.clients));
  return { clients: draft.clients, steps: steps.slice(0, stepsAtMost) };
}

/** Not an AUTH in 3.1.1, say, after a change of the version. */
function canBeWritten(step: Step, clients: readonly ScriptClient[]): boolean {
  if (step.do !== 'send') return true;
  try {
    bytesOf(step, clients[step.client]?.version ?? 'v3');
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const remove: Mutation = ({ steps }, random, at) => {
  steps.splice(at, random.pick([1, 1, 1, 3]));
};

const swap: Mutation = ({ steps }, _random, at) => {
  const pair = steps.slice(at, at + 2).reverse();
  steps.splice(at, pair.length, ...pair);
};

/** A message that is not a repetition gets a payload of its own: the oracles tell messages by it. */
const double: Mutation = ({ steps }, random, at) => {
  const step = steps[at] as Step;
  if (step.do !== 'send' || step.packet.type !== 'PUBLISH' || step.packet.qos === 2)
    return void steps.splice(at, 0, step);
  const { payload } = step.packet;
  const mark = `'${random.below(1000)}`;
  let other = payload;
  if (typeof payload === 'string' && payload !== '') other = `${payload}${mark}`;
  else if (typeof payload !== 'string' && 'text' in payload) other = { ...payload, text: `${payload.text}${mark}` };
  steps.splice(at + 1, 0, { ...step, packet: { ...step.packet, payload: other } });
};

/** Something between two steps: an end, a fence, answers, a packet of two bytes. */
const insert: Mutation = ({ steps, clients }, random, at) => {
  const client = steps[at]?.client ?? random.below(clients.length);
  const inserted = random.pick<Step>([
    { client, do: 'drop' },
    { client, do: 'close' },
    fence(client),
    { client, do: 'acknowledge' },
    { client, do: 'acknowledge', rounds: 1 },
    { client, do: 'pause' },
    send({ type: 'PINGREQ' }, client),
    send({ type: 'DISCONNECT' }, client),
  ]);
  steps.splice(at + random.below(2), 0, inserted);
};

/** A step that comes earlier or later than it did. */
const move: Mutation = ({ steps }, random, at) => {
  const [step] = steps.splice(at, 1);
  if (step) steps.splice(random.below(steps.length + 1), 0, step);
};

/** The step on another connection. */
const reassign: Mutation = ({ steps, clients }, random, at) => {
  const step = steps[at] as Step;
  const client = random.below(clients.length);
  steps[at] = { ...step, client };
};

/** A client of the other version, its CONNECT too. */
const otherVersion: Mutation = (draft, _random, at) => {
  const client = draft.steps[at]?.client ?? 0;
  const version = draft.clients[client]?.version === 'v5' ? 'v3' : 'v5';
  draft.clients[client] = { version };
  const protocolLevel = version === 'v5' ? 5 : 4;
  draft.steps = draft.steps.map((step) => {
    if (step.client !== client || step.do !== 'send') return step;
    const { packet } = step;
    return { ...step, packet: packet.type === 'CONNECT' ? { ...packet, protocolLevel } : packet };
  });
};

/** Another value in a field of the packet, which stays well-formed. */
const alter: Mutation = ({ steps }, random, at) => {
  const step = steps[at] as Step;
  if (step.do === 'send') steps[at] = { ...step, packet: altered(step.packet, random) };
};

function altered(packet: PacketData, random: Random): PacketData {
  const ids = [1, 2, 3, 7, 65_535];
  switch (packet.type) {
    case 'CONNECT':
      return random.pick<PacketData>([
        { ...packet, clean: !packet.clean },
        { ...packet, keepAlive: random.pick([0, 60, 65_535]) },
      ]);
    case 'PUBLISH': {
      const qos = random.pick<QoS>([0, 1, 2]);
      const { packetId = random.pick(ids), ...rest } = packet;
      return random.pick<PacketData>([
        { ...rest, qos, dup: packet.dup && qos > 0, ...(qos > 0 && { packetId }) },
        { ...packet, retain: !packet.retain },
        packet.qos > 0 ? { ...packet, dup: !packet.dup } : packet,
      ]);
    }
    case 'SUBSCRIBE':
      return { ...packet, filters: packet.filters.map((each) => ({ ...each, qos: random.pick<QoS>([0, 1, 2]) })) };
    default:
      return 'packetId' in packet ? { ...packet, packetId: random.pick(ids) } : packet;
  }
}

/** A bend where there is none, another one, or none any more. */
const bend: Mutation = ({ steps, clients }, random, at) => {
  const step = steps[at] as Step;
  if (step.do !== 'send') return;
  const { bend: old, ...straight } = step;
  if (old && random.oneIn(2)) steps[at] = straight;
  else {
    const packet = unfilled(step.packet);
    steps[at] = { ...straight, packet, bend: bendFor(random, packet, clients[step.client]?.version ?? 'v3') };
  }
};

/** Bends repeat parts up to thousands of times: without what a payload is filled up with. */
function unfilled(packet: PacketData): PacketData {
  if (packet.type !== 'PUBLISH' || typeof packet.payload === 'string' || !('text' in packet.payload)) return packet;
  return { ...packet, payload: packet.payload.text };
}

/** The bytes of the step with a scratch. */
const scratchBytes: Mutation = ({ steps, clients }, random, at) => {
  const step = steps[at] as Step;
  if (step.do !== 'send' && step.do !== 'raw') return;
  const bytes = bytesOf(step, clients[step.client]?.version ?? 'v3');
  const hex = hexOf(scratch(random, bytes));
  if (hex) steps[at] = { client: step.client, do: 'raw', hex };
};

/** As often as each stands here. */
const mutations: readonly Mutation[] = [
  remove,
  swap,
  double,
  insert,
  insert,
  insert,
  move,
  reassign,
  otherVersion,
  alter,
  alter,
  bend,
  bend,
  scratchBytes,
  scratchBytes,
];
