/** The oracle that asks whether the broker still serves: a new client connects, subscribes, publishes, and receives its message. */

import { Unreachable } from '../../harness/errors.ts';
import type { Version } from '../../harness/spec/index.ts';
import { connect, publish, subscribe } from '../../harness/wire/build.ts';
import { dataFrom } from '../data.ts';
import { play, type Stage } from '../play.ts';
import { caseName, type Finding, type Happening, type Recording } from '../record.ts';
import type { Script, Step } from '../script.ts';

/** A full exchange of one client. @param waitsMs how long its message is waited for, each time with a round trip behind */
export function exchange(version: Version, waitsMs: readonly number[] = []): Script {
  const topic = `${caseName}/alive`;
  const packets = [
    connect({ clientId: `${caseName}alive`, protocolLevel: version === 'v5' ? 5 : 4 }),
    subscribe(1, [topic, 0]),
    publish({ topic, payload: caseName }),
  ];
  const fence: Step = { client: 0, do: 'fence' };
  return {
    clients: [{ version }],
    steps: [
      ...packets.map((packet) => ({ client: 0, do: 'send', packet: dataFrom(packet) }) as const),
      // A message may come after the PINGRESP of a PINGREQ behind it: brokers hand the two to different tasks.
      fence,
      fence,
      ...waitsMs.flatMap((ms): Step[] => [{ client: 0, do: 'wait', ms }, fence]),
    ],
  };
}

/** So much of the time that an answer may take, one wait after the other. */
const shares = [0.02, 0.08, 0.3, 0.6];

/** Undefined if the broker serves, else what it does instead, in half a sentence. */
export async function lookForLife(stage: Stage, version: Version = 'v3'): Promise<string | undefined> {
  let why = '';
  let waitsMs: readonly number[] = [];
  // Brokers that are just busy get a second chance; where all came but the message, that may only be on its way.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const recording = await play(exchange(version, waitsMs), stage);
      if (recording.connections[0]?.received.some(({ packet }) => packet?.type === 'PUBLISH')) return undefined;
      why = missing(recording);
      if (answersPings(recording)) waitsMs = shares.map((share) => Math.round(share * stage.timeoutMs));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      why = error.message;
    }
  }
  return why;
}

function answersPings({ connections: [only], late }: Recording): boolean {
  return late.length === 0 && only?.received.some(({ packet }) => packet?.type === 'PINGRESP') === true;
}

function missing({ connections: [only], happened, late: [first = -1] }: Recording): string {
  const late = happened[first];
  const packets = only?.received.map(({ packet }) => packet?.type ?? 'a malformed packet').join(', ') || 'nothing';
  const end =
    late?.what === 'late' ? `no ${late.missing} within ${late.afterMs / 1000} s` : `closed (${only?.closed?.how})`;
  return `a new client gets ${packets}, and not its own message; ${end}`;
}

/** A connection that the broker did not close in time after the client's end: it hangs, or is stuck on what it got. */
export function hanging(recording: Recording): readonly Finding[] {
  const [late = -1] = recording.late;
  const found = recording.happened[late];
  if (found?.what !== 'late') return [];
  const connection = recording.connections[found.connection];
  // What should have ended the connection may have been passed over, and half a packet may be waited for: that is no hang.
  const isStuck =
    connection?.unfinished === 0 && connection.sent.every(({ fate }) => fate === 'fair') && !isHeldUp(recording, found);
  const what =
    found.missing === 'close' ? 'the connection stays open after the end of the client' : `no ${found.missing}`;
  return [
    {
      oracle: 'alive',
      requirements: [],
      expected: ['the broker serves the client, or closes the connection'],
      actual: `${what} within ${found.afterMs / 1000} s`,
      kind: `hang: ${found.missing}`,
      at: late,
      ...(!isStuck && { unclear: true as const }),
    },
  ];
}

/** Whether another client did not read meanwhile: a broker may stop reading from who floods that one until it does. */
function isHeldUp({ connections, happened }: Recording, late: Happening): boolean {
  const at = happened.indexOf(late);
  return connections.some(
    ({ stall, connection }) => connection !== late.connection && stall && stall.from < at && at < stall.to,
  );
}
