/** Clients that stop reading while much is on its way to them: what a broker holds for them must not hold up others, nor be lost. */

import type { QoS } from '../../harness/wire/packet.ts';
import { connectOf, fence, publishOf, send, subscribeOf, topic } from '../generate/scenes.ts';
import type { Step } from '../script.ts';
import { type Seed, several } from './seed.ts';

const pause = (client: number): Step => ({ client, do: 'pause' });
const acknowledge = (client: number): Step => ({ client, do: 'acknowledge' });

/** More than what a network takes of what nobody reads. */
const large = { bytes: 64_000, count: 120 };

function messages(client: number, count: number, qos: QoS, bytes = 0): Step[] {
  return Array.from({ length: count }, (_, at) => {
    const payload = bytes > 0 ? { text: `m${at} `, length: bytes } : `m${at}`;
    return send(publishOf(qos, { payload, ...(qos > 0 && { packetId: at + 1 }) }), client);
  });
}

/** Client 1 is subscribed and stops reading, client 0 publishes, client 2 is to be served all the time. */
const watched: readonly Step[] = [
  send(connectOf('v3', 'b', { clean: false }), 1),
  send(subscribeOf(2), 1),
  fence(1),
  send(connectOf('v3', 'a')),
  fence(0),
  pause(1),
];
const neighbour: readonly Step[] = [
  send(connectOf('v5', 'c'), 2),
  send(subscribeOf(1, `${topic}/other`), 2),
  send(publishOf(1, { topic: `${topic}/other`, payload: 'other', packetId: 2 }), 2),
  acknowledge(2),
];

const small = ([0, 1, 2] as const).map(
  (qos): Seed => ({
    name: `subscriber-stops-reading-qos-${qos}`,
    about: `a subscriber that does not read while 15 messages of QoS ${qos} come, then reads and answers`,
    script: several(
      ['v3', 'v3', 'v5'],
      ...watched,
      ...messages(0, 15, qos),
      ...neighbour,
      acknowledge(1),
      acknowledge(0),
      acknowledge(1),
    ),
  }),
);

export const stalls: readonly Seed[] = [
  ...small,
  {
    name: 'subscriber-stops-reading-for-good',
    about: 'a subscriber that does not read while 7 MB come, with a neighbour that is served, and drops its connection',
    script: several(
      ['v3', 'v3', 'v5'],
      ...watched,
      ...messages(0, large.count, 0, large.bytes),
      ...neighbour,
      { client: 1, do: 'drop' },
      fence(0),
      send(connectOf('v3', 'b', { clean: false }), 1),
      acknowledge(1),
    ),
  },
  {
    name: 'subscriber-stops-reading-and-resumes',
    about:
      'a subscriber that does not read while 7 MB of QoS 1 come, with a neighbour that is served, then reads all of it',
    script: several(
      ['v3', 'v3', 'v5'],
      ...watched,
      ...messages(0, large.count, 1, large.bytes),
      ...neighbour,
      acknowledge(1),
      acknowledge(0),
    ),
  },
  {
    name: 'client-floods-itself-without-reading',
    about: 'a client that is sent its own 7 MB and does not read: neither side may wait for the other for ever',
    script: several(
      ['v3', 'v3', 'v5'],
      send(connectOf('v3', 'a')),
      send(subscribeOf(1), 0),
      fence(0),
      pause(0),
      ...messages(0, large.count, 1, large.bytes),
      ...neighbour,
      send(connectOf('v3', 'b'), 1),
      fence(1),
      acknowledge(0),
    ),
  },
  {
    name: 'acknowledgements-never-read',
    about: 'a client that publishes 500 messages of QoS 1 and reads no PUBACK, then drops the connection',
    script: several(
      ['v3', 'v3', 'v5'],
      ...watched.slice(0, 5),
      pause(0),
      ...messages(0, 500, 1),
      ...neighbour,
      { client: 0, do: 'drop' },
      acknowledge(1),
    ),
  },
];
