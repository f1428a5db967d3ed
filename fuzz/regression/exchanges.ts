/** What several clients do that brokers are known to lose or double: exchanges left at every step, sessions, wills, retained messages. */

import { connectOf, fence, publishOf, send, subscribeOf, topic } from '../generate/scenes.ts';
import { caseName } from '../record.ts';
import type { Step } from '../script.ts';
import { type Seed, several } from './seed.ts';

const kept3 = (letter: string, client: number) => send(connectOf('v3', letter, { clean: false }), client);
const kept5 = (letter: string, client: number) =>
  send(connectOf('v5', letter, { clean: false, properties: { sessionExpiryInterval: 5 } }), client);
const drop = (client: number): Step => ({ client, do: 'drop' });
const acknowledge = (client: number, rounds?: number): Step => ({
  client,
  do: 'acknowledge',
  ...(rounds !== undefined && { rounds }),
});
const end = (client: number): Step[] => [send({ type: 'DISCONNECT' }, client), { client, do: 'close' }];

/** A subscriber with a session, and one that publishes. */
const pair: readonly Step[] = [kept3('b', 1), send(subscribeOf(2), 1), fence(1), kept5('a', 0)];

/** The publisher goes after so many of its packets, comes back and resumes; everything arrives once. */
const publisherLeaves: readonly Seed[] = [0, 1, 2, 3].map((stage) => ({
  name: `publisher-leaves-at-${stage}`,
  about: 'an exchange of QoS 2 that the publisher leaves, and resumes on a new connection',
  script: several(
    ['v5', 'v3'],
    ...pair,
    send(publishOf(2, { payload: 'm1' })),
    ...(stage === 1 ? [fence(0)] : stage > 1 ? [acknowledge(0, stage - 1)] : []),
    drop(0),
    kept5('a', 0),
    ...(stage < 2 ? [send(publishOf(2, { payload: 'm1', dup: true }))] : []),
    ...(stage === 2 ? [send({ type: 'PUBREL', packetId: 1 })] : []),
    acknowledge(0),
    acknowledge(1),
  ),
}));

/** The subscriber goes after so many rounds of answers, comes back and resumes. */
const subscriberLeaves: readonly Seed[] = [0, 1, 2].map((rounds) => ({
  name: `subscriber-leaves-at-${rounds}`,
  about: 'deliveries of each QoS that the subscriber leaves, and resumes on a new connection',
  script: several(
    ['v5', 'v3'],
    ...pair,
    send(publishOf(0, { payload: 'm1' })),
    send(publishOf(1, { payload: 'm2', packetId: 2 })),
    send(publishOf(2, { payload: 'm3', packetId: 3 })),
    acknowledge(0),
    ...(rounds > 0 ? [acknowledge(1, rounds)] : [fence(1)]),
    drop(1),
    send(publishOf(1, { payload: 'm4', packetId: 4 })),
    acknowledge(0),
    kept3('b', 1),
    acknowledge(1),
  ),
}));

const others: readonly Seed[] = [
  {
    name: 'queue-while-away',
    about: 'messages for a session without a connection, in their order',
    script: several(
      ['v5', 'v3'],
      ...pair,
      ...end(1),
      ...Array.from({ length: 20 }, (_, at) =>
        send(publishOf(at % 2 === 0 ? 1 : 2, { payload: `m${at}`, packetId: at + 1 })),
      ),
      acknowledge(0),
      kept3('b', 1),
      acknowledge(1),
    ),
  },
  {
    name: 'take-over-across-versions',
    about: 'a 5.0 client takes the session of a 3.1.1 client over, with an exchange in flight',
    script: several(
      ['v5', 'v3', 'v5'],
      ...pair,
      send(publishOf(2, { payload: 'm1' })),
      acknowledge(0),
      acknowledge(1, 1),
      kept5('b', 2),
      send(publishOf(1, { payload: 'm2', packetId: 2 })),
      acknowledge(0),
      acknowledge(2),
    ),
  },
  {
    name: 'will-at-take-over',
    about: 'the will of a connection that is taken over',
    script: several(
      ['v3', 'v3', 'v3'],
      send(connectOf('v3', 'b'), 1),
      send(subscribeOf(1), 1),
      fence(1),
      send(connectOf('v3', 'a', { will: { topic, payload: 'm1', qos: 1, retain: false } }), 0),
      fence(0),
      send(connectOf('v3', 'a'), 2),
      fence(2),
      acknowledge(1),
    ),
  },
  {
    name: 'will-not-after-disconnect',
    about: 'no will after DISCONNECT, one after a drop',
    script: several(
      ['v3', 'v3', 'v5'],
      send(connectOf('v3', 'b'), 1),
      send(subscribeOf(1), 1),
      fence(1),
      send(connectOf('v3', 'a', { will: { topic, payload: 'm1', qos: 1, retain: false } }), 0),
      fence(0),
      ...end(0),
      send(connectOf('v5', 'c', { will: { topic, payload: 'm2', qos: 1, retain: false } }), 2),
      fence(2),
      drop(2),
      acknowledge(1),
    ),
  },
  {
    name: 'retained-set-and-cleared',
    about: 'a retained message for a new subscription, and none after it was cleared',
    script: several(
      ['v5', 'v3'],
      send(connectOf('v5', 'a'), 0),
      send(publishOf(1, { payload: 'm1', retain: true }), 0),
      fence(0),
      send(connectOf('v3', 'b'), 1),
      send(subscribeOf(1), 1),
      acknowledge(1),
      send(publishOf(1, { payload: '', retain: true, packetId: 2 }), 0),
      fence(0),
      send(subscribeOf(1, `${caseName}/+`, 2), 1),
      acknowledge(1),
    ),
  },
  {
    name: 'overlapping-subscriptions',
    about: 'one message that matches three subscriptions of a client',
    script: several(
      ['v3'],
      send(connectOf('v3', 'a')),
      send({
        type: 'SUBSCRIBE',
        packetId: 1,
        filters: [
          { filter: `${caseName}/#`, qos: 0 },
          { filter: `${caseName}/+`, qos: 2 },
          { filter: topic, qos: 1 },
        ],
      }),
      fence(),
      send(publishOf(2, { payload: 'm1', packetId: 2 })),
      acknowledge(0),
    ),
  },
  {
    name: 'flood-without-acknowledgements',
    about: '300 messages for a client that never answers, with a neighbour that is served',
    script: several(
      ['v3', 'v5', 'v3'],
      send(connectOf('v3', 'b'), 0),
      send(subscribeOf(1), 0),
      fence(0),
      send(connectOf('v5', 'a'), 1),
      ...Array.from({ length: 300 }, (_, at) => send(publishOf(1, { payload: `m${at}`, packetId: at + 1 }), 1)),
      send(connectOf('v3', 'c'), 2),
      fence(2),
      fence(1),
      fence(0),
    ),
  },
  {
    name: 'receive-maximum-1',
    about: 'a client that takes one message at a time',
    script: several(
      ['v5', 'v3'],
      send(connectOf('v5', 'b', { properties: { receiveMaximum: 1 } }), 0),
      send(subscribeOf(2), 0),
      fence(0),
      send(connectOf('v3', 'a'), 1),
      ...Array.from({ length: 5 }, (_, at) =>
        send(publishOf(at % 2 === 0 ? 2 : 1, { payload: `m${at}`, packetId: at + 1 }), 1),
      ),
      acknowledge(1),
      fence(0),
      acknowledge(0),
    ),
  },
];

export const exchanges: readonly Seed[] = [...publisherLeaves, ...subscriberLeaves, ...others];
