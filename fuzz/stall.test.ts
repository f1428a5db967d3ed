/** What a broker may do with a client that does not read is no finding, whatever it is; what it may not do is one. */

import { describe, expect, it } from 'vitest';
import { type Clock, VirtualClock } from '../harness/clock.ts';
import { type Acceptor, memory, type ServerLink } from '../harness/transport.ts';
import { connect, puback, publish, subscribe } from '../harness/wire/build.ts';
import type { Packet, QoS } from '../harness/wire/packet.ts';
import { createBroker } from '../reference-broker/broker.ts';
import { dataFrom } from './data.ts';
import { judgeAll } from './judge.ts';
import { played } from './memory.fixture.ts';
import { history, historyAfter, settled } from './oracle/history.ts';
import { play } from './play.ts';
import type { Script, Step } from './script.ts';

const topic = 'CASE00/t';
const send = (client: number, packet: Packet): Step => ({ client, do: 'send', packet: dataFrom(packet) });
const steps = (client: number, ...what: ('fence' | 'acknowledge' | 'pause' | 'resume')[]): Step[] =>
  what.map((each) => ({ client, do: each }));
const wait = (ms: number): Step => ({ client: 0, do: 'wait', ms });

/** Client 1 is subscribed and does not read while client 0 publishes; then it reads and answers. */
function stalled(qos: QoS, count: number, bytes: number, then: readonly Step[] = steps(1, 'acknowledge')): Script {
  const messages = Array.from({ length: count }, (_, at) =>
    send(0, publish({ topic, qos, payload: `${at}`.padEnd(bytes, '.'), ...(qos > 0 && { packetId: at + 1 }) })),
  );
  return {
    clients: [{ version: 'v3' }, { version: 'v3' }],
    steps: [
      send(1, connect({ clientId: 'CASE00b', clean: false })),
      send(1, subscribe(1, [topic, 2])),
      ...steps(1, 'fence'),
      send(0, connect({ clientId: 'CASE00a' })),
      ...steps(0, 'fence'),
      ...steps(1, 'pause'),
      ...messages,
      ...steps(0, 'acknowledge'),
      ...then,
    ],
  };
}

/** What becomes of a packet for a client. */
type Manner = (link: ServerLink, bytes: Uint8Array, clock: Clock) => void;

const isPublish = (bytes: Uint8Array, qos?: QoS) =>
  (bytes[0] ?? 0) >> 4 === 3 && (qos === undefined || (((bytes[0] ?? 0) >> 1) & 3) === qos);

const manners: Readonly<Record<string, Manner>> = {
  'keeps all of it': (link, bytes) => link.send(bytes),
  'throws QoS 0 messages away': (link, bytes) => {
    if (!link.congested || !isPublish(bytes, 0)) link.send(bytes);
  },
  'disconnects it': (link, bytes) => {
    if (link.congested) link.close();
    else link.send(bytes);
  },
  'hands messages on late': (link, bytes, clock) => {
    if (isPublish(bytes)) clock.after(1_000, () => link.send(bytes));
    else link.send(bytes);
  },
};

function on(manner: Manner, script: Script) {
  const clock = new VirtualClock();
  const broker = createBroker({ clock });
  const acceptor: Acceptor = {
    accept: (link) =>
      broker.accept({
        send: (bytes) => manner(link, bytes, clock),
        close: () => link.close(),
        get congested() {
          return link.congested;
        },
      }),
  };
  const stage = { transport: memory(acceptor), clock, timeoutMs: 5_000 };
  return clock.run(play(script, { ...stage, manners: { answersBeforeClose: true, closesAfterFin: true } }));
}

describe('a client that does not read', () => {
  const sizes = [
    [0, 15, 10],
    [1, 15, 10],
    [2, 15, 10],
    [0, 10, 50_000],
    [1, 10, 50_000],
    [2, 10, 50_000],
  ] as const;
  const quick = Object.keys(manners).filter((name) => !name.includes('late'));

  it.each(quick.flatMap((name) => sizes.map((size) => [name, ...size] as const)))(
    'is no finding where the broker %s (QoS %i, %i messages of %i bytes)',
    async (name, qos, count, bytes) => {
      expect(judgeAll(await on(manners[name] as Manner, stalled(qos, count, bytes)))).toEqual([]);
    },
  );

  it.each(sizes)('gets all that it is owed, else that is found (QoS %i, %i messages of %i bytes)', async (...size) => {
    const [qos, , bytes] = size;
    let publishes = 0;
    const lossy: Manner = (link, packet) => {
      if (!isPublish(packet) || ++publishes !== 3) link.send(packet);
    };
    const kinds = judgeAll(await on(lossy, stalled(...size))).map(({ kind }) => kind);
    // QoS 0 promises nothing, and of much some limit may excuse it.
    expect(kinds).toEqual(qos > 0 && bytes < 100 ? ['lost message'] : []);
  });

  it('is given time from when it reads on, not from when the message came', async () => {
    const late = manners['hands messages on late'] as Manner;
    const script = stalled(1, 5, 10, [wait(800), ...steps(1, 'acknowledge')]);
    const confirm = async (each: Script) => historyAfter(500)(await on(late, settled(each, 1_000)));
    expect(history(await on(late, script)).map(({ kind }) => kind)).toContain('lost message');
    expect(await confirm(script)).toEqual([]);
    const reading = { ...script, steps: script.steps.filter(({ do: what }) => what !== 'pause') };
    expect((await confirm(reading)).map(({ kind }) => kind)).toContain('lost message');
  });

  it('may acknowledge what it has not read, after which the identifier is free', async () => {
    const blind = (packetId: number) => [send(1, puback(packetId)), wait(10)];
    const one = (packetId: number) => [send(0, publish({ topic, qos: 1, packetId, payload: `${packetId}` })), wait(10)];
    const { clients, steps: begin } = stalled(1, 0, 0, []);
    const script: Script = { clients, steps: [...begin, ...one(1), ...blind(1), ...one(2), ...blind(1), ...one(3)] };
    // A broker that takes the lowest identifier that is free.
    const lowest: Manner = (link, bytes) => {
      const copy = Buffer.from(bytes);
      if (isPublish(bytes, 1)) copy.writeUInt16BE(1, 4 + copy.readUInt16BE(2));
      link.send(copy);
    };
    expect(judgeAll(await on(lowest, script))).toEqual([]);
    expect(judgeAll(await played(script))).toEqual([]);
  });
});
