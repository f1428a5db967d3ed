/** 3.8.1 and 3.8.3: a SUBSCRIBE that is malformed ends the connection and makes no subscription. */

import type { Case } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { subscribe, text } from '../harness/wire/build.ts';
import type { Bend } from '../harness/wire/encode.ts';

/** A SUBSCRIBE with three filters that no server may take: what is wrong, and its bend. */
type Malformation = readonly [id: string, title: string, covers: readonly RequirementId[], bend: Bend];

const levels = ['a', 'b', 'c'];

function makesNone([id, title, covers, bend]: Malformation): Case {
  return {
    id: `${id}-subscribes-to-nothing`,
    title: `closes on a SUBSCRIBE ${title}, and makes none of its subscriptions`,
    covers,
    needs: ['qos1'],
    async run({ connect, topic, clientId, nonStrict }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      subscriber.send(subscribe(9, ...levels.map((level) => [`${topic}/${level}`, 1] as const)), bend);
      await subscriber.expectClose();
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.subscribe(`${topic}/fence`, 1);
      for (const level of [...levels, 'fence']) {
        await publisher.publish({ topic: `${topic}/${level}`, payload: level, qos: 1 });
      }
      for (let fenced = false; !fenced || again.waiting.length > 0; ) {
        const level = text((await again.receive()).payload);
        if (level === 'fence') {
          fenced = true;
          await again.fence();
        } else {
          // The standard says no word about what was done with the packet before its fault was found.
          nonStrict(`closes the connection, but makes subscriptions of the malformed SUBSCRIBE: one to topic/${level}`);
        }
      }
    },
  };
}

/** Section 3.8.1. */
export const badFlags: readonly Case[] = [0x80, 0x81, 0x83, 0x86, 0x8a, 0x8f]
  .map((byte): Malformation => {
    const flags = (byte & 0x0f).toString(2).padStart(4, '0');
    return [
      `flags-${(byte & 0x0f).toString(16)}`,
      `with the flags ${flags}`,
      ['v3/3.8.1-1', 'v5/3.8.1-1'],
      { header: [byte] },
    ];
  })
  .map(makesNone);

/** Takes whole filters out of the packet. */
function taken(...indexes: readonly number[]): Bend {
  const parts = indexes.flatMap((index) =>
    ['filter.length', 'filter', 'options'].map((part) => `filters.${index}.${part}`),
  );
  return Object.fromEntries(parts.map((part) => [part, []]));
}

const qosOf3: readonly RequirementId[] = ['v3/3.8.3-4', 'v5/3.8.3.1~qos-bits-three'];
const retainHandlingOf3: readonly RequirementId[] = ['v5/3.8.3.1~retain-handling-three'];

const malformations: readonly Malformation[] = [
  ['without-filter', 'without a filter', ['v3/3.8.3-3', 'v5/3.8.3-2'], taken(0, 1, 2)],
  [
    'without-qos',
    'with one filter and no QoS',
    ['v3/3.8.3-3', 'v5/3.8.3-2'],
    { ...taken(1, 2), 'filters.0.options': [] },
  ],
  ['first-qos-3', 'whose first filter has QoS 3', qosOf3, { 'filters.0.options': [0x03] }],
  ['last-qos-3', 'whose last filter has QoS 3', qosOf3, { 'filters.2.options': [0x03] }],
  ['second-reserved-bit', 'with reserved bits beside QoS 1', ['v3/3.8.3-4'], { 'filters.1.options': [0x05] }],
  [
    'last-highest-bit',
    'with the byte 0x80 behind its last filter',
    ['v3/3.8.3-4', 'v5/3.8.3-5'],
    { 'filters.2.options': [0x80] },
  ],
  [
    'first-reserved-bit',
    'with a reserved bit beside QoS 1',
    ['v3/3.8.3-4', 'v5/3.8.3-5'],
    { 'filters.0.options': [0x41] },
  ],
  [
    'first-retain-handling-3',
    'whose first filter has Retain Handling 3',
    retainHandlingOf3,
    { 'filters.0.options': [0x31] },
  ],
  [
    'last-retain-handling-3',
    'whose last filter has Retain Handling 3',
    retainHandlingOf3,
    { 'filters.2.options': [0x31] },
  ],
  [
    'last-without-qos',
    'whose last filter has no QoS',
    ['v3/2.4~surplus-bytes', 'v5/2.1.4~content-length'],
    { 'filters.2.options': [] },
  ],
  [
    'stray-byte',
    'with a byte behind its last filter',
    ['v3/2.4~surplus-bytes', 'v5/2.1.4~content-length'],
    { surplus: [0x00] },
  ],
  [
    'ill-formed-utf8',
    'whose second filter is not UTF-8',
    ['v3/3.8.3-1', 'v5/3.8.3-1'],
    { 'filters.1.filter': { append: [0xff] } },
  ],
  [
    'null-character',
    'whose last filter has U+0000',
    ['v3/3.8.3-1', 'v5/3.8.3-1'],
    { 'filters.2.filter': { append: [0x00] } },
  ],
  ['identifier-0', 'with Packet Identifier 0', ['v3/2.3.1-1', 'v5/2.2.1-3'], { packetId: [0, 0] }],
];

/** Section 3.8.3. */
export const badPayloads: readonly Case[] = malformations.map(makesNone);
