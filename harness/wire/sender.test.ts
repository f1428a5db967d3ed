/** What each side may send. */

import { describe, expect, it } from 'vitest';
import { auth, connect, disconnect, pingreq, pingresp, publish, subscribe, unsuback } from './build.ts';
import { Malformed } from './malformed.ts';
import type { Packet } from './packet.ts';
import type { Side } from './properties.ts';
import { checkSender } from './sender.ts';

const authentication = { authenticationMethod: 'm' };

describe('in 5.0', () => {
  const cases: readonly (readonly [what: string, packet: Packet, only: Side, requirement: string])[] = [
    ['SUBSCRIBE', subscribe(1, ['a', 0]), 'client', 'v5/2.1.2~packet-direction'],
    ['PINGREQ', pingreq(), 'client', 'v5/2.1.2~packet-direction'],
    ['PINGRESP', pingresp(), 'server', 'v5/2.1.2~packet-direction'],
    ['UNSUBACK', unsuback(1, [0]), 'server', 'v5/2.1.2~packet-direction'],
    [
      'Subscription Identifiers',
      publish({ topic: 'a', properties: { subscriptionIdentifiers: [1] } }),
      'server',
      'v5/3.3.4-6',
    ],
    [
      'a DISCONNECT with a Session Expiry Interval',
      disconnect({ properties: { sessionExpiryInterval: 0 } }),
      'client',
      'v5/3.14.2-2',
    ],
    [
      'a DISCONNECT with a Server Reference',
      disconnect({ properties: { serverReference: 'b' } }),
      'server',
      'v5/2.2.2.2~property-not-allowed',
    ],
    ['a DISCONNECT that asks for the will', disconnect({ code: 0x04 }), 'client', 'v5/3.14.2-1'],
    ['a DISCONNECT for a session taken over', disconnect({ code: 0x8e }), 'server', 'v5/3.14.2-1'],
    ['an AUTH that begins again', auth({ code: 0x19, properties: authentication }), 'client', 'v5/3.15.2-1'],
    ['an AUTH that ends', auth({ code: 0x00, properties: authentication }), 'server', 'v5/3.15.2-1'],
    [
      'an unknown Payload Format Indicator',
      publish({ topic: 'a', properties: { payloadFormatIndicator: 2 } }),
      'server',
      'v5/4.13.1-1',
    ],
  ];

  it.each(cases)('%s', (_what, packet, only, requirement) => {
    expect(() => checkSender(packet, only, 'v5')).not.toThrow();
    const other = only === 'client' ? 'server' : 'client';
    expect(() => checkSender(packet, other, 'v5')).toThrow(Malformed);
    expect(() => checkSender(packet, other, 'v5')).toThrow(requirement);
  });

  it.each([
    ['DISCONNECT', disconnect()],
    ['DISCONNECT with a Reason Code of both', disconnect({ code: 0x81 })],
    ['DISCONNECT with the Reason Code that the tables disagree on', disconnect({ code: 0x8c })],
    ['AUTH that goes on', auth({ code: 0x18, properties: authentication })],
    ['PUBLISH', publish({ topic: 'a', properties: { topicAlias: 1, payloadFormatIndicator: 1 } })],
  ])('%s may come from both', (_what, packet) => {
    expect(() => checkSender(packet, 'client', 'v5')).not.toThrow();
    expect(() => checkSender(packet, 'server', 'v5')).not.toThrow();
  });

  it('looks at the properties of a will', () => {
    const packet = connect({ clientId: 'c', will: { topic: 'w', properties: { payloadFormatIndicator: 9 } } });
    expect(() => checkSender(packet, 'client', 'v5')).toThrow(/will\.properties\.payloadFormatIndicator/);
  });
});

describe('in 3.1.1', () => {
  it('a DISCONNECT comes from the client only', () => {
    expect(() => checkSender(disconnect(), 'client', 'v3')).not.toThrow();
    expect(() => checkSender(disconnect(), 'server', 'v3')).toThrow('v3/2.2.1~packet-direction');
  });

  it('a PINGRESP comes from the server only', () => {
    expect(() => checkSender(pingresp(), 'server', 'v3')).not.toThrow();
    expect(() => checkSender(pingresp(), 'client', 'v3')).toThrow('v3/2.2.1~packet-direction');
  });
});
