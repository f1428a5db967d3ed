/** Shared Subscriptions: one member for each message, and what becomes of those that go. */

import { describe, expect, it } from 'vitest';
import { puback, publish, pubrec, pubrel, suback, subscribe, unsuback, unsubscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { parseShare } from './shared.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

const shared = '$share/g/t';
const lasting = { clean: false, properties: { sessionExpiryInterval: 60 } };

function members(stage: Stage, ids: readonly string[], filter = shared): TestClient[] {
  return ids.map((id) => {
    const client = stage.connect5(id, lasting).send(subscribe(1, [filter, 2]));
    client.read();
    return client;
  });
}

function send(stage: Stage, count: number, qos: QoS = 1): void {
  const publisher = stage.connect5('p');
  for (let id = 1; id <= count; id++) publisher.send(publish({ topic: 't', payload: `${id}`, qos, packetId: id }));
}

/** How many messages a client has got. */
function count(client: TestClient | undefined): number {
  return client?.read().filter(({ type }) => type === 'PUBLISH').length ?? 0;
}

describe('4.8.2 a message goes to one member', () => {
  it.each([
    ['round-robin', [4, 4, 4]],
    ['first', [12, 0, 0]],
  ] as const)('%s', (sharedSelection, expected) => {
    const stage = start({ choices: { sharedSelection } });
    const group = members(stage, ['a', 'b', 'c']);
    send(stage, 12);
    expect(group.map(count)).toEqual(expected);
  });

  it('at random, of each group, and to all who have not shared', () => {
    const stage = start({ choices: { sharedSelection: 'random' } });
    const group = members(stage, ['a', 'b', 'c']);
    const other = members(stage, ['d', 'e'], '$share/other/+');
    const [plain] = members(stage, ['f'], 't');
    group[0]?.send(subscribe(2, ['t', 0])).read();
    send(stage, 50);
    const counts = group.map(count);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(50 + 50);
    expect(counts.every((each) => each > 0)).toBe(true);
    expect(other.map(count).reduce((sum, each) => sum + each, 0)).toBe(50);
    expect(count(plain)).toBe(50);
  });

  it('one that is there, unless all are away', () => {
    const stage = start();
    const [a, b] = members(stage, ['a', 'b']);
    a?.drop();
    send(stage, 4);
    expect(count(b)).toBe(4);
    b?.drop();
    send(stage, 1);
    const back = ['a', 'b'].map((id) => stage.connect5(id, lasting));
    expect(back.map(count).reduce((sum, each) => sum + each, 0)).toBe(1 + 4);
  });
});

describe('members', () => {
  it('subscribe again without getting more, and leave with the whole filter', () => {
    const stage = start();
    const [a] = members(stage, ['a']);
    a?.send(subscribe(2, [shared, 1]), unsubscribe(3, 't'));
    send(stage, 2);
    expect(count(a)).toBe(2);
    a?.send(unsubscribe(4, shared), unsubscribe(5, shared));
    expect(a?.read()).toMatchObject([unsuback(4, [0x00]), unsuback(5, [0x11])]);
    send(stage, 2);
    expect(count(a)).toBe(0);
  });

  it('get no retained messages for it', () => {
    const stage = start();
    stage.connect5('p').send(publish({ topic: 't', payload: 'x', retain: true }));
    const client = stage.connect5('a').send(subscribe(1, [shared, 0]));
    expect(client.read()).toEqual([suback(1, [0])]);
  });

  it('that end hand QoS 1 on, and keep QoS 2 to themselves', () => {
    const stage = start({ choices: { sharedSelection: 'first' } });
    const [a] = members(stage, ['a', 'b']);
    send(stage, 1, 1);
    send(stage, 2, 2);
    a?.send(pubrec(2));
    a?.drop();
    stage.connect5('a', { clean: true });
    const b = stage.connect5('b', lasting);
    expect(b.read()).toMatchObject([{ type: 'PUBLISH', qos: 1 }]);
  });

  it('that come back finish QoS 2', () => {
    const stage = start({ choices: { sharedSelection: 'first' } });
    const [a, b] = members(stage, ['a', 'b']);
    send(stage, 2, 2);
    a?.send(pubrec(1)).drop();
    const back = stage.connect5('a', lasting);
    expect(back.read()).toMatchObject([{ type: 'PUBLISH', dup: true, packetId: 2 }, pubrel(1)]);
    expect(count(b)).toBe(0);
  });

  it('that refuse a message are the last to see it', () => {
    const stage = start({ choices: { sharedSelection: 'first' } });
    const [a, b] = members(stage, ['a', 'b']);
    send(stage, 1);
    a?.send(puback(1, { code: 0x97 })).drop();
    expect([count(b), count(stage.connect5('a', lasting))]).toEqual([0, 0]);
  });
});

describe('filters', () => {
  it.each(['$share//t', '$share/g', '$share/g/', '$share/a+/t', '$share/#/t'])('%s is refused', (filter) => {
    const closing = start()
      .connect5('a')
      .send(subscribe(1, [filter, 0]));
    expect([closing.read(), closing.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x8f }], true]);
    const staying = start({ choices: { invalidFilter: '0x80' } }).connect5('a');
    expect(staying.send(subscribe(1, [filter, 0], ['t', 0])).read()).toMatchObject([{ codes: [0x8f, 0] }]);
  });

  it('have a name and a filter', () => {
    expect(parseShare('$share/g/a/+/#')).toEqual({ name: 'g', filter: 'a/+/#' });
    expect(parseShare('$share/g//a')).toEqual({ name: 'g', filter: '/a' });
  });

  it('are plain ones in 3.1.1', () => {
    const stage = start({ choices: { dollarTopics: 'deliver' } });
    const client = stage
      .connect('a')
      .send(subscribe(1, [shared, 0]), publish({ topic: 't' }), publish({ topic: shared }));
    expect(client.read()).toEqual([suback(1, [0]), publish({ topic: shared })]);
  });
});
