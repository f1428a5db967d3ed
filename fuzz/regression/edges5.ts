/** The edges of MQTT 5.0: properties, aliases, Shared Subscriptions, Reason Codes. */

import { connectOf, fence, publishOf, send, subscribeOf, topic } from '../generate/scenes.ts';
import { bent, one, type Seed, seed, several } from './seed.ts';

const v5 = send(connectOf('v5', 'a'));
const ping = send({ type: 'PINGREQ' });

export const edges5: readonly Seed[] = [
  seed('alias-0', 'the Topic Alias 0', one('v5', v5, send(publishOf(0, { properties: { topicAlias: 0 } })), ping)),
  seed(
    'alias-beyond',
    'a Topic Alias beyond what any broker announces',
    one('v5', v5, send(publishOf(0, { properties: { topicAlias: 65_535 } })), ping),
  ),
  seed(
    'alias-unknown',
    'an alias that stands for nothing yet',
    one('v5', v5, send(publishOf(0, { topic: '', properties: { topicAlias: 1 } })), ping),
  ),
  seed(
    'alias-after-reconnect',
    'an alias of an earlier connection',
    one(
      'v5',
      v5,
      send(publishOf(0, { properties: { topicAlias: 1 } })),
      fence(),
      { client: 0, do: 'close' },
      v5,
      send(publishOf(0, { topic: '', properties: { topicAlias: 1 } })),
      ping,
    ),
  ),
  seed(
    'subscription-identifier-0',
    'the Subscription Identifier 0',
    one('v5', v5, send({ ...subscribeOf(0), properties: { subscriptionIdentifiers: [0] } }), ping),
  ),
  seed(
    'subscription-identifier-of-client',
    'a PUBLISH of a client with a Subscription Identifier',
    one('v5', v5, send(publishOf(0, { properties: { subscriptionIdentifiers: [1] } })), ping),
  ),
  seed(
    'receive-maximum-0',
    'a Receive Maximum of 0',
    one('v5', send(connectOf('v5', 'a', { properties: { receiveMaximum: 0 } })), ping),
  ),
  seed(
    'maximum-packet-size-0',
    'a Maximum Packet Size of 0',
    one('v5', send(connectOf('v5', 'a', { properties: { maximumPacketSize: 0 } })), ping),
  ),
  seed(
    'property-twice',
    'a property that stands twice',
    one(
      'v5',
      v5,
      bent(publishOf(0, { properties: { contentType: 'a' } }), { 'properties.contentType': { repeat: 2 } }),
      ping,
    ),
  ),
  seed(
    'property-unknown',
    'a property that does not exist',
    one('v5', v5, bent(publishOf(0), { 'properties.other': { append: [0x7f, 0] } }), ping),
  ),
  seed(
    'property-length-beyond',
    'a Property Length beyond the packet',
    one('v5', v5, bent(publishOf(0), { 'properties.length': [0xff, 0xff, 0xff, 0x7f] }), ping),
  ),
  seed(
    'property-length-without-end',
    'a Property Length that never ends',
    one('v5', v5, bent(subscribeOf(0), { 'properties.length': [0xff, 0xff, 0xff, 0xff, 0xff] }), ping),
  ),
  seed(
    'user-properties-many',
    '2,000 User Properties',
    one(
      'v5',
      v5,
      send(
        publishOf(1, {
          properties: { userProperties: Array.from({ length: 2000 }, (_, at) => [`${at}`, ''] as const) },
        }),
      ),
      fence(),
    ),
  ),
  seed(
    'auth-unasked',
    'an AUTH that nobody asked for',
    one('v5', v5, send({ type: 'AUTH', code: 0x18, properties: { authenticationMethod: 'method' } }), ping),
  ),
  seed(
    'authentication-data-alone',
    'Authentication Data without a method',
    one('v5', send(connectOf('v5', 'a', { properties: { authenticationData: 'data' } })), ping),
  ),
  seed(
    'disconnect-raises-expiry',
    'a session that was to end with its connection, kept by DISCONNECT',
    one('v5', v5, fence(), send({ type: 'DISCONNECT', code: 0, properties: { sessionExpiryInterval: 5 } })),
  ),
  seed(
    'shared-forms',
    'odd forms of a Shared Subscription',
    several(
      ['v5', 'v5', 'v5', 'v5'],
      ...['$share', '$share/', '$share//a', '$share/g/'].flatMap((filter, client) => [
        send(connectOf('v5', 'abcd'.charAt(client)), client),
        send(subscribeOf(0, filter), client),
        send({ type: 'PINGREQ' }, client),
      ]),
    ),
  ),
  seed(
    'shared-no-local',
    'No Local on a Shared Subscription',
    one(
      'v5',
      v5,
      send({ type: 'SUBSCRIBE', packetId: 1, filters: [{ filter: `$share/g/${topic}`, qos: 1, noLocal: true }] }),
      ping,
    ),
  ),
  seed(
    'acks-with-wrong-codes',
    'Reason Codes that an acknowledgement has not',
    several(
      ['v5', 'v5'],
      ...[0, 1].flatMap((client) => [
        send(connectOf('v5', 'ab'.charAt(client)), client),
        send({ type: client === 0 ? 'PUBACK' : 'PUBREL', packetId: 9, code: 0x8e }, client),
        send({ type: 'PINGREQ' }, client),
      ]),
    ),
  ),
];
