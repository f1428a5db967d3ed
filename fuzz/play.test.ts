import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../harness/clock.ts';
import { connect, publish, subscribe } from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { dataFrom } from './data.ts';
import { played } from './memory.fixture.ts';
import { play, type Stage } from './play.ts';
import { caseName, type Recording } from './record.ts';
import type { Script, Step } from './script.ts';
import { sweepOf } from './sweep.ts';

const send = (packet: Packet, client = 0): Step => ({ client, do: 'send', packet: dataFrom(packet) });
const raw = (hex: string, client = 0): Step => ({ client, do: 'raw', hex });
const one = (...steps: Step[]): Script => ({ clients: [{ version: 'v3' }], steps });
const hello = send(connect({ clientId: `${caseName}a` }));
const topic = `${caseName}/t`;

const types = ({ connections: [first] }: Recording) => first?.received.map(({ packet }) => packet?.type);

describe('play', () => {
  it('records both streams of a connection in the terms of the script', async () => {
    const recording = await played(
      one(hello, send(subscribe(1, [topic, 0])), send(publish({ topic, payload: caseName }))),
    );
    const [connection] = recording.connections;
    expect(types(recording)).toEqual(['CONNACK', 'SUBACK', 'PUBLISH']);
    expect(connection?.received.at(-1)?.packet).toMatchObject({ topic, payload: Buffer.from(caseName) });
    expect(connection?.sent.map(({ packet }) => packet?.type)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBLISH']);
    expect(connection?.closed).toMatchObject({ by: 'broker', how: 'FIN' });
    expect(recording.name).toMatch(/^[0-9a-z]{6}$/);
  });

  it('takes a name for each play, so that one leaves nothing to the next', async () => {
    const script = one(send(connect({ clientId: `${caseName}a`, clean: false })));
    const names = [await played(script), await played(script)].map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
  });

  it('completes the handshakes that the broker has begun, or so many rounds of them', async () => {
    const start = [hello, send(subscribe(1, [topic, 2])), send(publish({ topic, qos: 2, packetId: 5, payload: 'x' }))];
    const sent = async (rounds?: number) => {
      const step: Step = { client: 0, do: 'acknowledge', ...(rounds && { rounds }) };
      const { connections } = await played(one(...start, step));
      return connections[0]?.sent.map(({ packet }) => packet?.type).filter((type) => type?.startsWith('PUBRE'));
    };
    expect(await sent()).toEqual(['PUBREC', 'PUBREL']);
    expect(await sent(1)).toEqual(['PUBREC', 'PUBREL']);
    const whole = await played(one(...start, { client: 0, do: 'acknowledge' }));
    expect(whole.connections[0]?.sent.at(-2)?.packet?.type).toBe('PUBCOMP');
  });

  it('sends no PINGREQ behind half a packet', async () => {
    const recording = await played(one(hello, raw('3010'), { client: 0, do: 'fence' }));
    expect(recording.connections[0]).toMatchObject({ unfinished: 2 });
    expect(types(recording)).toEqual(['CONNACK']);
  });

  it('opens a new connection after a drop, and counts on', async () => {
    const { connections } = await played(one(hello, { client: 0, do: 'drop' }, hello));
    expect(connections.map(({ connection, closed }) => [connection, closed?.by])).toEqual([
      [0, 'client'],
      [1, 'broker'],
    ]);
  });

  it('leaves out a step that cannot be written', async () => {
    const bent: Step = { client: 0, do: 'send', packet: { type: 'PINGREQ' }, bend: { nowhere: [1] } };
    expect(types(await played(one(hello, bent)))).toEqual(['CONNACK']);
  });

  it('reads the identifier that is on the wire where bent lengths make one of a name', async () => {
    // A QoS 1 PUBLISH with a topic of one byte, so that the identifier lies within the name behind it.
    const bytes = Buffer.concat([Buffer.from('320900017a', 'hex'), Buffer.from(`${caseName}`)]);
    const { connections, name } = await played(one(hello, raw(bytes.toString('hex'))));
    const identifier = Buffer.from(name).readUInt16BE(0);
    expect(connections[0]?.sent[1]?.packet).toMatchObject({ packetId: identifier });
    expect(connections[0]?.received[1]?.packet).toMatchObject({ type: 'PUBACK', packetId: identifier });
  });

  it('reads nothing of a client that has stopped until that reads on, by itself where it would wait', async () => {
    const receiving = [hello, send(subscribe(1, [topic, 1])), { client: 0, do: 'fence' } as const];
    const message = send(publish({ topic, qos: 1, packetId: 5, payload: 'x' }));
    const pause: Step = { client: 0, do: 'pause' };
    const orderOf = async (...steps: Step[]) => {
      const { happened } = await played(
        one(...receiving, pause, message, { client: 0, do: 'wait', ms: 100 }, ...steps),
      );
      const since = happened.slice(happened.findIndex(({ what }) => what === 'paused'));
      return since.map((each) => (each.what === 'received' ? each.packet?.type : each.what));
    };
    const read = ['PUBLISH', 'PUBACK'];
    expect(await orderOf({ client: 0, do: 'resume' }, { client: 0, do: 'wait', ms: 1 })).toEqual([
      'paused',
      'sent',
      'resumed',
      ...read,
      'half-closed',
      'closed',
    ]);
    expect(await orderOf({ client: 0, do: 'fence' })).toEqual([
      'paused',
      'sent',
      'resumed',
      'sent',
      ...read,
      'PINGRESP',
      'half-closed',
      'closed',
    ]);
    expect(await orderOf({ client: 0, do: 'acknowledge' })).toContain('resumed');
    for (const steps of [[], [{ client: 0, do: 'close' } as const]]) {
      expect((await orderOf(...steps)).slice(0, 4)).toEqual(['paused', 'sent', 'resumed', 'half-closed']);
    }
    expect(await orderOf({ client: 0, do: 'drop' })).toEqual(['paused', 'sent', 'closed']);
  });

  it('tells when a client did not read', async () => {
    const stop: Step = { client: 0, do: 'pause' };
    const stalls = async (...steps: Step[]) => (await played(one(hello, ...steps))).connections[0]?.stall;
    expect(await stalls()).toBeUndefined();
    expect(await stalls(stop, { client: 0, do: 'resume' }, stop)).toEqual({ from: 2, to: 5 });
    expect(await stalls(stop, { client: 0, do: 'drop' })).toEqual({ from: 2, to: Number.POSITIVE_INFINITY });
  });

  it('gives up what does not come, and says so', async () => {
    const clock = new VirtualClock();
    const link = { write() {}, end() {}, reset() {}, pause() {}, resume() {} };
    const stage: Stage = {
      transport: { open: async () => link },
      clock,
      timeoutMs: 1_000,
      manners: { answersBeforeClose: true, closesAfterFin: true },
    };
    const { happened, connections } = await clock.run(play(one(hello, { client: 0, do: 'fence' }), stage));
    const late = happened.flatMap((each) => (each.what === 'late' ? [each.missing] : []));
    expect(late).toEqual(['CONNACK', 'close']);
    expect(connections[0]?.closed?.by).toBe('client');
  });
});

describe('the fate of what is sent', () => {
  const fates = async (...steps: Step[]) => (await played(one(...steps))).connections[0]?.sent.map(({ fate }) => fate);

  it.each([
    ['well-formed packets', [hello, raw('c000')], ['fair', 'fair']],
    ['a reserved flag and what is behind it', [hello, raw('c100c000')], ['fair', 'void', 'void']],
    ['a packet before CONNECT', [raw('c000')], ['void']],
    ['a second CONNECT', [hello, hello], ['fair', 'void']],
    ['what follows a DISCONNECT', [hello, raw('e000c000')], ['fair', 'fair', 'open']],
    ['a packet behind another protocol', [raw('100e00064d51497364700302003c0000c100')], ['open', 'open']],
    ['a length that never ends', [hello, raw('30ffffffffff')], ['fair', 'void']],
  ] as const)('%s', async (_, steps, expected) => expect(await fates(...steps)).toEqual(expected));
});

describe('sweepOf', () => {
  const swept = async (...steps: Step[]) => sweepOf(await played(one(...steps)))?.steps.length ?? 0;

  it('removes sessions and retained messages, and does nothing where there are none', async () => {
    const persistent = send(connect({ clientId: `${caseName}p`, clean: false }));
    const retained = send(publish({ topic, payload: 'x', retain: true }));
    const removal = send(publish({ topic, payload: '', retain: true }));
    expect(await swept(hello, send(publish({ topic, payload: 'x' })))).toBe(0);
    expect(await swept(persistent)).toBeGreaterThan(0);
    expect(await swept(hello, retained)).toBeGreaterThan(0);
    expect(await swept(hello, removal)).toBe(0);
    // When a broker takes a message of QoS 2 is its own affair: it may come after its removal.
    expect(await swept(hello, retained, removal)).toBeGreaterThan(0);
    // What has to end the connection removes no session.
    const again = send(connect({ clientId: `${caseName}p` }));
    expect(await swept(persistent, again)).toBeGreaterThan(0);
  });
});
