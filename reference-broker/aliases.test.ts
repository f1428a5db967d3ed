/** Topic Aliases in both directions. */

import { describe, expect, it } from 'vitest';
import { publish, subscribe } from '../harness/wire/build.ts';
import { start } from './testClient.ts';

const aliased = (topic: string, topicAlias: number) => publish({ topic, properties: { topicAlias } });

describe('3.3.2.3.4 aliases of the client', () => {
  it('stand for the topic that was last set, on this connection', () => {
    const stage = start();
    const watcher = stage.connect5('w').send(subscribe(1, ['#', 0]));
    watcher.read();
    const client = stage.connect5('c', { clean: false, properties: { sessionExpiryInterval: 60 } });
    client.send(aliased('a', 1), aliased('', 1), aliased('b', 1), aliased('', 1), aliased('c', 10));
    const topics = watcher.read().map((packet) => packet.type === 'PUBLISH' && [packet.topic, packet.properties]);
    expect(topics).toEqual(['a', 'a', 'b', 'b', 'c'].map((topic) => [topic, undefined]));
    client.drop();
    const again = stage.connect5('c', { clean: false }).send(aliased('', 1));
    expect([again.read(), again.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x82 }], true]);
  });

  it.each([
    ['0', aliased('t', 0), 0x94],
    ['above the maximum', aliased('t', 11), 0x94],
    ['that is not set', aliased('', 2), 0x82],
    ['left out with the topic', publish({ topic: '' }), 0x82],
  ])('are refused: one %s', (_, packet, code) => {
    const stage = start();
    const watcher = stage.connect5('w').send(subscribe(1, ['t', 0]));
    const client = stage.connect5('c').send(packet);
    expect([client.read(), client.closed]).toMatchObject([[{ type: 'DISCONNECT', code }], true]);
    expect(watcher.read()).toHaveLength(1);
  });
});

describe('aliases of the server', () => {
  const seen = (topicAliasMaximum: number | undefined, outgoingAliases: 'use' | 'none' = 'use') => {
    const stage = start({ choices: { outgoingAliases } });
    const properties = topicAliasMaximum === undefined ? {} : { topicAliasMaximum };
    const client = stage.connect5('c', { properties }).send(subscribe(1, ['+', 0]));
    client.read();
    for (const topic of ['a', 'b', 'a', 'b']) stage.connect5('p').send(publish({ topic }));
    return client.read().map((packet) => packet.type === 'PUBLISH' && [packet.topic, packet.properties?.topicAlias]);
  };
  const plain = ['a', 'b', 'a', 'b'].map((topic) => [topic, undefined]);

  it('are used as far as the client allows', () => {
    expect(seen(undefined)).toEqual(plain);
    expect(seen(0)).toEqual(plain);
    expect(seen(5, 'none')).toEqual(plain);
    expect(seen(1)).toEqual([
      ['a', 1],
      ['b', undefined],
      ['', 1],
      ['b', undefined],
    ]);
    expect(seen(5)).toEqual([
      ['a', 1],
      ['b', 2],
      ['', 1],
      ['', 2],
    ]);
  });

  it('are set anew on each connection, also for what is sent again', () => {
    const stage = start();
    const session = { clean: false, properties: { sessionExpiryInterval: 60, topicAliasMaximum: 5 } };
    const client = stage.connect5('c', session).send(subscribe(1, ['t', 1]));
    for (const packetId of [1, 2]) stage.connect5('p').send(publish({ topic: 't', qos: 1, packetId }));
    client.drop();
    expect(stage.connect5('c', session).read()).toMatchObject([
      { topic: 't', dup: true, properties: { topicAlias: 1 } },
      { topic: '', dup: true, properties: { topicAlias: 1 } },
    ]);
  });

  it('are not set by a packet that is too large to be sent', () => {
    const stage = start();
    const client = stage.connect5('c', { properties: { topicAliasMaximum: 5, maximumPacketSize: 20 } });
    client.send(subscribe(1, ['t', 0])).read();
    stage.connect5('p').send(publish({ topic: 't', payload: 'x'.repeat(20) }), publish({ topic: 't' }));
    expect(client.read()).toMatchObject([{ topic: 't', properties: { topicAlias: 1 } }]);
  });
});
