/** What the clock says, on scripts by hand: silent on what a broker may do in its own time, loud on what it may not. */

import { describe, expect, it } from 'vitest';
import { connect, disconnect, pingreq, publish, subscribe } from '../../harness/wire/build.ts';
import type { Connect, Packet, Properties } from '../../harness/wire/packet.ts';
import type { Choices, Gate } from '../../reference-broker/broker.ts';
import { dataFrom } from '../data.ts';
import { played } from '../memory.fixture.ts';
import type { Script, Step } from '../script.ts';
import { history } from './history.ts';

const topic = 'CASE00/t';
const send = (client: number, packet: Packet): Step => ({ client, do: 'send', packet: dataFrom(packet) });
const does = (client: number, ...what: ('fence' | 'acknowledge' | 'pause' | 'resume' | 'drop' | 'close')[]): Step[] =>
  what.map((each) => ({ client, do: each }));
const wait = (ms: number): Step => ({ client: 0, do: 'wait', ms });

function enter(client: number, fields: Partial<Connect> = {}, properties: Properties = {}): Step[] {
  const clientId = `CASE00${'abc'[client]}`;
  const given = { clientId, clean: false, protocolLevel: 5, properties: { sessionExpiryInterval: 600, ...properties } };
  return [send(client, connect({ ...given, ...fields })), ...does(client, 'fence')];
}

async function kindsOf(steps: readonly Step[], options: { faults?: Gate[]; choices?: Partial<Choices> } = {}) {
  const script: Script = { clients: Array.from({ length: 3 }, () => ({ version: 'v5' })), steps };
  return history(await played(script, options)).map(({ kind }) => kind);
}

/** Client 1 listens. */
const listener = [...enter(1), send(1, subscribe(1, [topic, 1])), ...does(1, 'fence')];

describe('Keep Alive', () => {
  const silent = (ms: number) => [...enter(0, { keepAlive: 1 }), wait(ms), ...does(0, 'fence')];
  const unwatched: Gate[] = ['v5/3.1.2-22#watched'];

  it('is judged by who is served after far more than it, not before', async () => {
    expect(await kindsOf(silent(7_400), { faults: unwatched })).toEqual([]);
    expect(await kindsOf(silent(7_600), { faults: unwatched })).toEqual(['silent client not disconnected']);
    expect(await kindsOf([...enter(0, { keepAlive: 0 }), wait(60_000), ...does(0, 'fence')])).toEqual([]);
  });

  it('leaves a broker its time to look', async () => {
    expect(await kindsOf(silent(8_000), { choices: { keepAliveCheckMs: 5_000 } })).toEqual([]);
  });

  it('begins anew with each packet, and not before the last one was read', async () => {
    const beats = Array.from({ length: 8 }, () => [wait(1_000), send(0, pingreq())]).flat();
    expect(await kindsOf([...enter(0, { keepAlive: 1 }), ...beats, ...does(0, 'fence')])).toEqual([]);
    // The PINGREQ before the wait is answered together with the one behind it: nobody knows when it was read.
    const early = [...enter(0, { keepAlive: 1 }), ...does(0, 'pause'), send(0, pingreq()), wait(7_600)];
    expect(await kindsOf([...early, ...does(0, 'fence')], { faults: unwatched })).toEqual([]);
  });

  it('is not over in the words of the broker before it is', async () => {
    const idle = [...enter(0, { keepAlive: 4 }), wait(9_000)];
    expect(await kindsOf(idle)).toEqual([]);
    const kind = 'Keep Alive timeout of a client that is not silent';
    expect(await kindsOf(idle, { faults: ['v5/3.1.2-22#early'] })).toEqual([kind]);
  });
});

describe('Will Delay Interval', () => {
  const will = (willDelayInterval: number) =>
    ({ topic, payload: Buffer.from('will'), qos: 1, retain: false, properties: { willDelayInterval } }) as const;
  const gone = (delay: number, properties: Properties = {}) => [
    ...listener,
    ...enter(0, { will: will(delay) }, properties),
    ...does(0, 'drop'),
  ];
  const come = does(1, 'acknowledge');

  it.each<[string, readonly Step[]]>([
    ['its time is over', [...gone(2), wait(5_000), ...come]],
    ['its session ends before', [...gone(60, { sessionExpiryInterval: 1 }), wait(4_000), ...come]],
    ['its session ends with the connection', [...gone(60, { sessionExpiryInterval: 0 }), ...come]],
    ['its client begins a new session', [...gone(60), ...enter(0, { clean: true }), ...come]],
    ['its client comes back too late', [...gone(2), wait(2_500), ...enter(0), wait(1_000), ...come]],
    ['its client comes back in time', [...gone(5), wait(1_000), ...enter(0), wait(9_000), ...come]],
  ])('is no finding where %s', async (_, steps) => expect(await kindsOf(steps)).toEqual([]));

  it.each<[string, Gate, readonly Step[], string]>([
    ['comes at once', 'v5/3.1.2-8#delay', [...gone(5), wait(100), ...come], 'Will before its delay is over'],
    [
      'comes in spite of its client',
      'v5/3.1.3-9',
      [...gone(3), ...enter(0), wait(5_000), ...come],
      'Will of a client that came back',
    ],
    ['never comes', 'v5/3.1.2-8#delayed', [...gone(1), wait(4_000), ...come], 'lost Will'],
  ])('is one where it %s', async (_, gate, steps, kind) =>
    expect(await kindsOf(steps, { faults: [gate] })).toEqual([kind]),
  );

  it('is waited for longer than it lasts', async () => {
    const gate: Gate = 'v5/3.1.2-8#delayed';
    expect(await kindsOf([...gone(1), wait(3_000), ...come], { faults: [gate] })).toEqual([]);
  });
});

describe('Message Expiry Interval', () => {
  const message = (messageExpiryInterval: number, retain = false) => [
    ...enter(0),
    send(0, publish({ topic, qos: 1, packetId: 9, payload: 'm', retain, properties: { messageExpiryInterval } })),
    ...does(0, 'fence'),
  ];
  const away = [...listener, send(1, disconnect()), ...does(1, 'close')];
  const back = [...enter(1), ...does(1, 'acknowledge')];
  const kept: { faults: Gate[] } = { faults: ['v5/3.3.2-5'] };

  it('is over for who was away, and for nobody else', async () => {
    expect(await kindsOf([...away, ...message(1), wait(2_300), ...back], kept)).toEqual(['expired message']);
    expect(await kindsOf([...away, ...message(1), wait(2_300), ...back])).toEqual([]);
    // Clocks may count in whole seconds.
    expect(await kindsOf([...away, ...message(1), wait(2_100), ...back], kept)).toEqual([]);
    // What has been sent before may be read at any time, and be sent again.
    expect(
      await kindsOf([...listener, ...does(1, 'pause'), ...message(1), wait(3_000), ...does(1, 'acknowledge')]),
    ).toEqual([]);
    expect(await kindsOf([...listener, ...message(1), ...does(1, 'fence', 'close'), wait(3_000), ...back])).toEqual([]);
    // A broker may see late that a client is gone.
    expect(await kindsOf([...listener, ...does(1, 'drop'), ...message(1), wait(3_000), ...back], kept)).toEqual([]);
  });

  it('ends what is retained', async () => {
    const late = [
      ...message(1, true),
      wait(2_300),
      ...enter(1),
      send(1, subscribe(1, [topic, 0])),
      ...does(1, 'fence'),
    ];
    expect(await kindsOf(late, { faults: ['v5/3.3.2.3.3~retained-expiry'] })).toEqual(['expired message']);
    expect(await kindsOf(late)).toEqual([]);
  });

  it('goes on less the time that the message has waited', async () => {
    const steps = [...away, ...message(60), wait(2_600), ...back];
    expect(await kindsOf(steps)).toEqual([]);
    expect(await kindsOf(steps, { faults: ['v5/3.3.2-6#rest'] })).toEqual(['Message Expiry Interval not reduced']);
    expect(await kindsOf([...away, ...message(60), wait(1_200), ...back], { faults: ['v5/3.3.2-6#rest'] })).toEqual([]);
  });
});
