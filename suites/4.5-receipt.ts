/** 4.5 Message receipt: a message that the server has taken goes to every client with a matching subscription. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

const levels: readonly QoS[] = [0, 1, 2];

/** Topic Filters below the topic of the case, and whether they match `a/b/c` there. */
const filters: readonly (readonly [filter: string, matches: boolean])[] = [
  ['a/b/c', true],
  ['+/b/c', true],
  ['a/+/c', true],
  ['a/b/+', true],
  ['+/+/+', true],
  ['#', true],
  ['a/#', true],
  ['a/b/c/#', true],
  ['a/b', false],
  ['a/b/c/d', false],
  ['a/b/C', false],
  ['+/b', false],
  ['+/+/+/+', false],
  ['a/c/#', false],
];

/** A client with a subscription, whose session lasts. */
interface Subscriber {
  readonly peer: Peer;
  readonly filter: string;
  readonly matches: boolean;
  /** Not connected while messages are published. */
  readonly away: boolean;
}

/** Connects a subscriber for each filter, every other of them to leave at once. */
async function subscribers({ connect, topic }: Context): Promise<readonly Subscriber[]> {
  const all: Subscriber[] = [];
  for (const [index, [filter, matches]] of filters.entries()) {
    const away = index % 2 === 1;
    const peer = await connect({ clean: !away, name: `subscriber ${index + 1}` });
    await peer.subscribe(`${topic}/${filter}`, 1);
    if (filter !== '#') await peer.subscribe(`${topic}/fence`, 1);
    if (away) await peer.disconnect();
    all.push({ peer, filter, matches, away });
  }
  return all;
}

export const receipt = chapter(
  '4.5 Message receipt',
  section('4.5 Message receipt', [
    ...levels.map(
      (qos): Case => ({
        id: `every-subscriber-qos-${qos}`,
        title: `delivers a QoS ${qos} message to each of five subscribers`,
        covers: ['v3/4.5.0-1', 'v5/4.5.0-1'],
        needs: needsQoS(qos),
        async run({ connect, topic }) {
          const all: Peer[] = [];
          for (const number of [1, 2, 3, 4, 5]) {
            const subscriber = await connect({ name: `subscriber ${number}` });
            await subscriber.subscribe(topic, qos);
            all.push(subscriber);
          }
          const publisher = await connect({ name: 'publisher' });
          await publisher.publish({ topic, payload: 'for all', qos });
          await publisher.publish({ topic, payload: 'fence', qos });
          for (const subscriber of all) {
            await subscriber.receive({ topic, payload: 'for all', qos });
            await subscriber.receive({ topic, payload: 'fence', qos });
          }
        },
      }),
    ),
    {
      id: 'every-matching-filter',
      title: 'delivers a message for every matching filter and for no other, to those who are away when they are back',
      covers: ['v3/4.5.0-1', 'v3/3.1.2-5', 'v5/4.5.0-1', 'v5/4.1~session-state-parts'],
      needs: ['qos1', 'wildcards'],
      async run(context) {
        const { connect, topic, fail } = context;
        const all = await subscribers(context);
        const publisher = await connect({ name: 'publisher' });
        await publisher.publish({ topic: `${topic}/a/b/c`, payload: 'message', qos: 1 });
        await publisher.publish({ topic: `${topic}/fence`, payload: 'fence', qos: 1 });
        for (const { peer, filter, matches, away } of all) {
          const { clientId } = peer;
          const back = away ? await connect({ clientId, clean: false, name: `${peer.name} (${filter}) again` }) : peer;
          const due = [...(matches ? ['message'] : []), 'fence'];
          // The order across topics is open.
          const got = [text((await back.receive()).payload)];
          if (matches) got.push(text((await back.receive()).payload));
          if (got.sort().join() !== due.sort().join()) fail(`${due.join(' and ')} for ${filter}`, got.join(' and '));
        }
      },
    },
    ...([1, 2] as const).map(
      (qos): Case => ({
        id: `publisher-gone-qos-${qos}`,
        title: `delivers a QoS ${qos} message that it has acknowledged although its publisher drops at once`,
        covers: ['v3/4.5.0-1', 'v5/4.5.0-1'],
        needs: needsQoS(qos),
        async run({ connect, topic, clientId }) {
          const session = { clientId: clientId('away'), clean: false };
          const away = await connect({ ...session, name: 'away' });
          await away.subscribe(topic, qos);
          await away.disconnect();
          const subscriber = await connect({ name: 'subscriber' });
          await subscriber.subscribe(topic, qos);
          const publisher = await connect({ name: 'publisher' });
          await publisher.publish({ topic, payload: 'taken', qos });
          publisher.drop();
          await subscriber.receive({ topic, payload: 'taken', qos });
          const back = await connect({ ...session, name: 'back again' });
          await back.receive({ topic, payload: 'taken', qos });
        },
      }),
    ),
    ...levels.map(
      (qos): Case => ({
        id: `own-message-qos-${qos}`,
        title: `delivers a QoS ${qos} message once to its own publisher, who has subscribed to the topic`,
        covers: ['v3/4.5~own-messages'],
        needs: needsQoS(qos),
        async run({ connect, topic }) {
          const client = await connect();
          await client.subscribe(topic, qos);
          for (const payload of ['own', 'own too']) {
            await client.publish({ topic, payload, qos });
            await client.receive({ topic, payload, qos, dup: false, retain: false });
          }
          await client.expectNothing('each message once');
        },
      }),
    ),
    {
      id: 'without-subscription',
      title: 'may send messages to a client that has not asked for them; records whether it does',
      covers: ['v3/4.5~unrequested-messages'],
      async run({ connect, topic, trait }) {
        const [publisher, client] = [await connect({ name: 'publisher' }), await connect({ name: 'client' })];
        await publisher.publish({ topic, payload: 'for nobody', qos: 1 });
        await client.fence();
        trait('messages to a client without subscriptions', client.waiting.length > 0 ? 'some' : 'none');
      },
    },
  ]),
);
