/** 3.11 UNSUBACK: one for each UNSUBSCRIBE, with its Packet Identifier, whatever was ended. */

import { type Case, chapter, section } from '../harness/case.ts';
import { subscribe, unsubscribe } from '../harness/wire/build.ts';

const identifiers = [1, 0xff, 0x100, 0x1234, 0xffff];

/** UNSUBSCRIBEs that end nothing: what the client did before, and the filters. */
const nothingToEnd: readonly (readonly [
  id: string,
  words: string,
  subscribed: readonly string[],
  filters: string[],
])[] = [
  ['first-packet', 'as the first packet of a session', [], ['/a']],
  ['wildcards', 'for wildcards that nobody subscribed to', [], ['/+', '/#']],
  ['unknown-beside-known', 'for an unknown filter, beside a subscription', ['/a'], ['/b']],
  ['several-unknown', 'for several unknown filters', ['/a'], ['/b', '/c', '/c', '/d']],
];

const unknown = nothingToEnd.map(
  ([id, words, subscribed, filters]): Case => ({
    id: `nothing-ended-${id}`,
    title: `answers an UNSUBSCRIBE ${words} by UNSUBACK`,
    covers: ['v3/3.10.4-5', 'v3/3.10.4-4', 'v5/3.10.4-5', 'v5/3.10.4-4'],
    async run({ connect, topic }) {
      const client = await connect();
      for (const level of subscribed) await client.subscribe(topic + level);
      client.send(unsubscribe(77, ...filters.map((level) => topic + level)));
      await client.expect('UNSUBACK', { packetId: 77 });
      await client.expectNothing('one UNSUBACK');
    },
  }),
);

export const unsubacknowledging = chapter(
  '3.11 UNSUBACK',
  section('3.11 UNSUBACK', [
    {
      id: 'form',
      title: 'sends UNSUBACK with no flags and the Packet Identifier of the UNSUBSCRIBE alone, a used one as well',
      covers: [
        'v3/3.10.4-4',
        'v3/2.3.1-7',
        'v3/2.1~fixed-packet-sizes',
        'v3/2.2.2-1',
        'v5/3.10.4-4',
        'v5/3.10.4-5',
        'v5/2.2.1-6',
        'v5/2.1.4~content-length',
        'v5/2.1.3-1',
      ],
      async run({ connect, topic }) {
        const client = await connect();
        for (const packetId of [...identifiers, ...identifiers]) {
          await client.request([topic, 0]);
          client.send(unsubscribe(packetId, topic));
          await client.expect('UNSUBACK', { packetId });
          await client.expectNothing('one UNSUBACK');
        }
      },
    },
    {
      id: 'pipelined',
      title: 'answers each of fifty SUBSCRIBEs and UNSUBSCRIBEs in one segment',
      covers: ['v3/3.10.4-4', 'v3/3.8.4-1', 'v5/3.10.4-4', 'v5/3.10.4-5', 'v5/3.8.4-1'],
      async run({ connect, topic }) {
        const client = await connect();
        const all = Array.from({ length: 25 }, (_, index) => [
          subscribe(5000 - index, [`${topic}/${index}`, 0]),
          unsubscribe(300 + index, `${topic}/${index}`),
        ]);
        client.sendTogether(...all.flat());
        for (const { type, packetId } of all.flat()) {
          await client.pick(type === 'SUBSCRIBE' ? 'SUBACK' : 'UNSUBACK', { packetId });
        }
        await client.expectNothing('one answer each');
      },
    },
    {
      id: 'twice',
      title: 'answers a second UNSUBSCRIBE for the same filter, and one that names a filter twice, by UNSUBACK',
      covers: ['v3/3.10.4-5', 'v3/3.10.4-4', 'v3/3.10.4-6', 'v5/3.10.4-5', 'v5/3.10.4-4', 'v5/3.10.4-6'],
      async run({ connect, topic }) {
        const client = await connect();
        for (const filters of [[topic], [topic], [topic, topic]]) {
          await client.request([topic, 0]);
          for (const packetId of [7, 8]) {
            client.send(unsubscribe(packetId, ...filters));
            await client.expect('UNSUBACK', { packetId });
            await client.expectNothing('one UNSUBACK');
          }
        }
      },
    },
    {
      id: 'subscription-of-another-client',
      title: 'answers an UNSUBSCRIBE for a filter that only another client has subscribed to by UNSUBACK alone',
      covers: ['v3/3.10.4-5', 'v3/3.10.4-4', 'v5/3.10.4-5', 'v5/3.10.4-4'],
      async run({ connect, topic, fail }) {
        const [publisher, other, client] = [await connect(), await connect(), await connect()];
        await other.subscribe(topic);
        client.send(unsubscribe(7, topic));
        await client.expect('UNSUBACK', { packetId: 7 });
        await publisher.publish({ topic, payload: 'm', qos: 1 });
        const message = await other.next();
        if (message?.type !== 'PUBLISH')
          fail('a message for the client that is subscribed', 'nothing', 'v3/3.10.4-1', 'v5/3.10.4-1');
      },
    },
    ...unknown,
  ]),
);
