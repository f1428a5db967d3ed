/** What a client may not send on an established connection, text apart (see text.ts). */

import type { RequirementId } from '../../spec/index.ts';
import { disconnect, pingreq, puback, pubcomp, publish, pubrec, pubrel, subscribe, unsubscribe } from '../build.ts';
import { bent, cut, type Factory, type Row, raw, wrongFlags } from './row.ts';

function at(part: string, ...breaks: readonly RequirementId[]) {
  return { at: part, breaks } as const;
}

const qos0: Factory = (topic) => publish({ topic });
const qos1: Factory = (topic) => publish({ topic, qos: 1, packetId: 1, payload: 'malformed' });
const qos2: Factory = (topic) => publish({ topic, qos: 2, packetId: 1, payload: 'malformed' });
const untitled0: Factory = () => publish({ topic: '', payload: 'malformed' });
const untitled1: Factory = () => publish({ topic: '', qos: 1, packetId: 1, payload: 'malformed' });
const untitled2: Factory = () => publish({ topic: '', qos: 2, packetId: 1, payload: 'malformed' });

const publishes = [
  bent('publish-qos3', 'a PUBLISH with QoS 3', qos1, { header: [0x36] }, at('header', 'v3/3.3.1-4', 'v3/2.2.2-2')),
  bent(
    'publish-qos3-retain',
    'a PUBLISH with QoS 3 and RETAIN',
    qos1,
    { header: [0x37] },
    at('header', 'v3/3.3.1-4', 'v3/2.2.2-2'),
  ),
  bent(
    'publish-qos3-dup',
    'a PUBLISH with QoS 3 and DUP',
    qos1,
    { header: [0x3e] },
    at('header', 'v3/3.3.1-4', 'v3/2.2.2-2'),
  ),
  bent(
    'publish-qos3-dup-retain',
    'a PUBLISH with QoS 3, DUP and RETAIN',
    qos1,
    { header: [0x3f] },
    at('header', 'v3/3.3.1-4', 'v3/2.2.2-2'),
  ),
  bent(
    'publish-qos3-without-id',
    'a PUBLISH with QoS 3 and no Packet Identifier',
    qos0,
    { header: [0x36] },
    at('header', 'v3/3.3.1-4', 'v3/2.2.2-2'),
  ),
  bent(
    'publish-qos1-id-0',
    'a PUBLISH with QoS 1 and Packet Identifier 0',
    qos1,
    { packetId: [0, 0] },
    at('packetId', 'v3/2.3.1-1'),
  ),
  bent(
    'publish-qos2-id-0',
    'a PUBLISH with QoS 2 and Packet Identifier 0',
    qos2,
    { packetId: [0, 0] },
    at('packetId', 'v3/2.3.1-1'),
  ),
  bent(
    'publish-qos0-empty-topic',
    'a PUBLISH with QoS 0 and an empty Topic Name',
    untitled0,
    {},
    at('topic', 'v3/4.7.3-1'),
  ),
  bent(
    'publish-qos1-empty-topic',
    'a PUBLISH with QoS 1 and an empty Topic Name',
    untitled1,
    {},
    at('topic', 'v3/4.7.3-1'),
  ),
  bent(
    'publish-qos2-empty-topic',
    'a PUBLISH with QoS 2 and an empty Topic Name',
    untitled2,
    {},
    at('topic', 'v3/4.7.3-1'),
  ),
  bent(
    'publish-topic-length-plus-1',
    'a PUBLISH whose Topic Name has a length one beyond the packet',
    qos0,
    { 'topic.length': { add: 1 } },
    at('topic.length', 'v3/1.5.3~string-length', 'v3/3.3.2-1'),
  ),
  bent(
    'publish-topic-length-65535',
    'a PUBLISH whose Topic Name has a length beyond the packet',
    qos1,
    { 'topic.length': [0xff, 0xff] },
    at('topic.length', 'v3/1.5.3~string-length', 'v3/3.3.2-1'),
  ),
  cut(
    'publish-empty',
    'a PUBLISH with Remaining Length 0',
    qos0,
    ['topic.length', 0],
    at('topic.length', 'v3/3.3.2-1'),
  ),
  cut(
    'publish-qos1-empty',
    'a PUBLISH with QoS 1 and Remaining Length 0',
    qos1,
    ['topic.length', 0],
    at('topic.length', 'v3/3.3.2-1'),
  ),
  cut(
    'publish-cut-topic-length',
    'a PUBLISH that ends within the length of the Topic Name',
    qos0,
    ['topic.length', 1],
    at('topic.length', 'v3/3.3.2-1'),
  ),
  cut(
    'publish-cut-topic',
    'a PUBLISH that ends within the Topic Name',
    qos1,
    ['topic', 1],
    at('topic.length', 'v3/1.5.3~string-length', 'v3/3.3.2-1'),
  ),
  cut(
    'publish-qos1-without-id',
    'a PUBLISH with QoS 1 and no Packet Identifier',
    qos1,
    ['packetId', 0],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'publish-qos2-without-id',
    'a PUBLISH with QoS 2 and no Packet Identifier',
    qos2,
    ['packetId', 0],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'publish-qos1-cut-id',
    'a PUBLISH with QoS 1 that ends within the Packet Identifier',
    qos1,
    ['packetId', 1],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'publish-qos2-cut-id',
    'a PUBLISH with QoS 2 that ends within the Packet Identifier',
    qos2,
    ['packetId', 1],
    at('packetId', 'v3/2.3.1-1'),
  ),
];

const onAcknowledgement: readonly RequirementId[] = ['v3/2.2.2-2'];

function acknowledgementRows(packet: Factory, header: number, breaks = onAcknowledgement): Row[] {
  const { type } = packet('topic', 'client', {});
  const id = type.toLowerCase();
  return [
    ...wrongFlags(packet, header, breaks),
    cut(
      `${id}-length-0`,
      `a ${type} without a Packet Identifier`,
      packet,
      ['packetId', 0],
      at('packetId', 'v3/2.1~fixed-packet-sizes'),
    ),
    cut(
      `${id}-length-1`,
      `a ${type} with one byte of a Packet Identifier`,
      packet,
      ['packetId', 1],
      at('packetId', 'v3/2.1~fixed-packet-sizes'),
    ),
    bent(
      `${id}-length-3`,
      `a ${type} with a byte after the Packet Identifier`,
      packet,
      { surplus: [0x00] },
      at('surplus', 'v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'),
    ),
  ];
}

const one: Factory = (topic) => subscribe(1, [topic, 0]);
/** QoS 1, because 0 would make a zero character of a Topic Filter that takes it in. */
const oneOfQoS1: Factory = (topic) => subscribe(1, [topic, 1]);
const two: Factory = (topic) => subscribe(1, [topic, 0], [topic, 1]);

/** Requested QoS bytes that are neither 0, 1 nor 2: QoS 3, each reserved bit, and several together. */
const wrongOptions = [0x03, 0x04, 0x05, 0x08, 0x10, 0x20, 0x2e, 0x40, 0x80, 0xfc, 0xff];

const subscribes = [
  ...wrongFlags(one, 0x82, ['v3/3.8.1-1', 'v3/2.2.2-2']),
  ...wrongOptions.map((options) => {
    const digits = options.toString(16).padStart(2, '0');
    const title = `a SUBSCRIBE with the requested QoS byte ${digits.toUpperCase()}`;
    return bent(
      `subscribe-options-${digits}`,
      title,
      one,
      { 'filters.0.options': [options] },
      at('filters.0.options', 'v3/3.8.3-4'),
    );
  }),
  bent(
    'subscribe-second-options-03',
    'a SUBSCRIBE whose second pair has the requested QoS byte 03',
    two,
    { 'filters.1.options': [0x03] },
    at('filters.1.options', 'v3/3.8.3-4'),
  ),
  bent(
    'subscribe-second-options-04',
    'a SUBSCRIBE whose second pair has the requested QoS byte 04',
    two,
    { 'filters.1.options': [0x04] },
    at('filters.1.options', 'v3/3.8.3-4'),
  ),
  bent(
    'subscribe-id-0',
    'a SUBSCRIBE with Packet Identifier 0',
    one,
    { packetId: [0, 0] },
    at('packetId', 'v3/2.3.1-1'),
  ),
  bent(
    'subscribe-filter-length-plus-1',
    'a SUBSCRIBE whose Topic Filter has a length that takes in its QoS',
    oneOfQoS1,
    { 'filters.0.filter.length': { add: 1 } },
    at('filters.0.options', 'v3/3.8.3-3'),
  ),
  bent(
    'subscribe-filter-length-plus-2',
    'a SUBSCRIBE whose Topic Filter has a length one beyond the packet',
    one,
    { 'filters.0.filter.length': { add: 2 } },
    at('filters.0.filter.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'subscribe-filter-length-65535',
    'a SUBSCRIBE whose Topic Filter has a length beyond the packet',
    one,
    { 'filters.0.filter.length': [0xff, 0xff] },
    at('filters.0.filter.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'subscribe-second-filter-length-65535',
    'a SUBSCRIBE whose second Topic Filter has a length beyond the packet',
    two,
    { 'filters.1.filter.length': [0xff, 0xff] },
    at('filters.1.filter.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'subscribe-surplus-1',
    'a SUBSCRIBE with a byte after its last pair',
    one,
    { surplus: [0x00] },
    at('filters.1.filter.length', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'subscribe-surplus-3',
    'a SUBSCRIBE with three bytes after its last pair',
    one,
    { surplus: [0xff, 0xff, 0xff] },
    at('filters.1.filter.length', 'v3/2.4~surplus-bytes'),
  ),
  cut('subscribe-empty', 'a SUBSCRIBE with Remaining Length 0', one, ['packetId', 0], at('packetId', 'v3/2.3.1-1')),
  cut(
    'subscribe-cut-id',
    'a SUBSCRIBE that ends within the Packet Identifier',
    one,
    ['packetId', 1],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'subscribe-without-filter',
    'a SUBSCRIBE without a Topic Filter',
    one,
    ['filters.0.filter.length', 0],
    at('filters.0.filter.length', 'v3/3.8.3-3'),
  ),
  cut(
    'subscribe-cut-filter-length',
    'a SUBSCRIBE that ends within the length of its Topic Filter',
    one,
    ['filters.0.filter.length', 1],
    at('filters.0.filter.length', 'v3/3.8.3-3'),
  ),
  cut(
    'subscribe-cut-filter',
    'a SUBSCRIBE that ends within its Topic Filter',
    one,
    ['filters.0.filter', 1],
    at('filters.0.filter.length', 'v3/1.5.3~string-length', 'v3/3.8.3-3'),
  ),
  cut(
    'subscribe-without-qos',
    'a SUBSCRIBE whose Topic Filter has no requested QoS',
    one,
    ['filters.0.options', 0],
    at('filters.0.options', 'v3/3.8.3-3'),
  ),
  cut(
    'subscribe-cut-second-filter',
    'a SUBSCRIBE that ends within its second Topic Filter',
    two,
    ['filters.1.filter', 1],
    at('filters.1.filter.length', 'v3/1.5.3~string-length', 'v3/2.4~surplus-bytes'),
  ),
  cut(
    'subscribe-second-without-qos',
    'a SUBSCRIBE whose second Topic Filter has no requested QoS',
    two,
    ['filters.1.options', 0],
    at('filters.1.options', 'v3/2.4~surplus-bytes'),
  ),
];

const remove: Factory = (topic) => unsubscribe(1, topic);
const removeTwo: Factory = (topic) => unsubscribe(1, topic, topic);

const unsubscribes = [
  ...wrongFlags(remove, 0xa2, ['v3/3.10.1-1', 'v3/2.2.2-2']),
  bent(
    'unsubscribe-id-0',
    'an UNSUBSCRIBE with Packet Identifier 0',
    remove,
    { packetId: [0, 0] },
    at('packetId', 'v3/2.3.1-1'),
  ),
  bent(
    'unsubscribe-empty-filter',
    'an UNSUBSCRIBE with an empty Topic Filter',
    () => unsubscribe(1, ''),
    {},
    at('filters.0.filter', 'v3/4.7.3-1'),
  ),
  bent(
    'unsubscribe-filter-length-plus-1',
    'an UNSUBSCRIBE whose Topic Filter has a length one beyond the packet',
    remove,
    { 'filters.0.filter.length': { add: 1 } },
    at('filters.0.filter.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'unsubscribe-filter-length-65535',
    'an UNSUBSCRIBE whose Topic Filter has a length beyond the packet',
    remove,
    { 'filters.0.filter.length': [0xff, 0xff] },
    at('filters.0.filter.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'unsubscribe-second-filter-length-65535',
    'an UNSUBSCRIBE whose second Topic Filter has a length beyond the packet',
    removeTwo,
    { 'filters.1.filter.length': [0xff, 0xff] },
    at('filters.1.filter.length', 'v3/1.5.3~string-length', 'v3/3.10.3-1'),
  ),
  bent(
    'unsubscribe-surplus-1',
    'an UNSUBSCRIBE with a byte after its last Topic Filter',
    remove,
    { surplus: [0x00] },
    at('filters.1.filter.length', 'v3/2.4~surplus-bytes', 'v3/3.10.3-1'),
  ),
  bent(
    'unsubscribe-surplus-3',
    'an UNSUBSCRIBE with three bytes after its last Topic Filter',
    remove,
    { surplus: [0xff, 0xff, 0xff] },
    at('filters.1.filter.length', 'v3/2.4~surplus-bytes', 'v3/3.10.3-1'),
  ),
  cut(
    'unsubscribe-empty',
    'an UNSUBSCRIBE with Remaining Length 0',
    remove,
    ['packetId', 0],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'unsubscribe-cut-id',
    'an UNSUBSCRIBE that ends within the Packet Identifier',
    remove,
    ['packetId', 1],
    at('packetId', 'v3/2.3.1-1'),
  ),
  cut(
    'unsubscribe-without-filter',
    'an UNSUBSCRIBE without a Topic Filter',
    remove,
    ['filters.0.filter.length', 0],
    at('filters.0.filter.length', 'v3/3.10.3-2'),
  ),
  cut(
    'unsubscribe-cut-filter-length',
    'an UNSUBSCRIBE that ends within the length of its Topic Filter',
    remove,
    ['filters.0.filter.length', 1],
    at('filters.0.filter.length', 'v3/3.10.3-2'),
  ),
  cut(
    'unsubscribe-cut-filter',
    'an UNSUBSCRIBE that ends within its Topic Filter',
    remove,
    ['filters.0.filter', 1],
    at('filters.0.filter.length', 'v3/1.5.3~string-length', 'v3/3.10.3-2'),
  ),
];

const leave: Factory = () => disconnect();

const bare = [
  ...wrongFlags(pingreq, 0xc0, ['v3/2.2.2-2']),
  bent(
    'pingreq-length-1',
    'a PINGREQ with a byte after the fixed header',
    pingreq,
    { surplus: [0x00] },
    at('surplus', 'v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'),
  ),
  ...wrongFlags(leave, 0xe0, ['v3/3.14.1-1', 'v3/2.2.2-2']),
  bent(
    'disconnect-length-1',
    'a DISCONNECT with a byte after the fixed header',
    leave,
    { surplus: [0x00] },
    at('surplus', 'v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'disconnect-length-2',
    'a DISCONNECT with two bytes after the fixed header',
    leave,
    { surplus: [0x00, 0x00] },
    at('surplus', 'v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'),
  ),
];

const reserved = at('header', 'v3/2.2.1~reserved-types');
const tooLong = at('remainingLength', 'v3/2.2.3~remaining-length-limit');
const misdirected = { at: undefined, breaks: ['v3/2.2.1~packet-direction'] } as const;

const headers = [
  raw('reserved-type-0', 'a packet of the reserved type 0', '00 00', reserved),
  raw('reserved-type-0-flags-f', 'a packet of the reserved type 0 with the flags 1111', '0F 00', reserved),
  raw('reserved-type-15', 'a packet of the reserved type 15', 'F0 00', reserved),
  raw('reserved-type-15-flags-f', 'a packet of the reserved type 15 with the flags 1111', 'FF 00', reserved),
  raw('publish-length-of-five-bytes', 'a PUBLISH with a Remaining Length of five bytes', '30 FF FF FF FF 7F', tooLong),
  raw('publish-length-of-six-bytes', 'a PUBLISH with a Remaining Length of six bytes', '30 FF FF FF FF FF 7F', tooLong),
  raw('pingreq-length-of-five-bytes', 'a PINGREQ with a Remaining Length of five bytes', 'C0 80 80 80 80 01', tooLong),
  raw(
    'pingreq-length-of-five-bytes-padded',
    'a PINGREQ with a Remaining Length of 0 in five bytes',
    'C0 80 80 80 80 00',
    tooLong,
  ),
  raw('connack-from-client', 'a CONNACK from a client', '20 02 00 00', misdirected),
  raw('suback-from-client', 'a SUBACK from a client', '90 03 00 01 00', misdirected),
  raw('unsuback-from-client', 'an UNSUBACK from a client', 'B0 02 00 01', misdirected),
  raw('pingresp-from-client', 'a PINGRESP from a client', 'D0 00', misdirected),
];

/** Packets on an established connection to which a server has to close it. */
export const clientRows: readonly Row[] = [
  ...publishes,
  ...acknowledgementRows(() => puback(1), 0x40),
  ...acknowledgementRows(() => pubrec(1), 0x50),
  ...acknowledgementRows(() => pubrel(1), 0x62, ['v3/3.6.1-1', 'v3/2.2.2-2']),
  ...acknowledgementRows(() => pubcomp(1), 0x70),
  ...subscribes,
  ...unsubscribes,
  ...bare,
  ...headers,
];
