/** The table of properties against table 2-4 of the standard, typed a second time. */

import { expect, it } from 'vitest';
import { properties, propertyNamed, propertyPlaces, propertyWith } from './properties.ts';

const every =
  'CONNECT WILL CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH';

const typed: readonly (readonly [identifier: number, title: string, type: string, places: string, repeats?: string])[] =
  [
    [0x01, 'Payload Format Indicator', 'byte', 'PUBLISH WILL'],
    [0x02, 'Message Expiry Interval', 'four-byte integer', 'PUBLISH WILL'],
    [0x03, 'Content Type', 'string', 'PUBLISH WILL'],
    [0x08, 'Response Topic', 'string', 'PUBLISH WILL'],
    [0x09, 'Correlation Data', 'binary', 'PUBLISH WILL'],
    [0x0b, 'Subscription Identifier', 'variable byte integer', 'PUBLISH SUBSCRIBE', 'PUBLISH'],
    [0x11, 'Session Expiry Interval', 'four-byte integer', 'CONNECT CONNACK DISCONNECT'],
    [0x12, 'Assigned Client Identifier', 'string', 'CONNACK'],
    [0x13, 'Server Keep Alive', 'two-byte integer', 'CONNACK'],
    [0x15, 'Authentication Method', 'string', 'CONNECT CONNACK AUTH'],
    [0x16, 'Authentication Data', 'binary', 'CONNECT CONNACK AUTH'],
    [0x17, 'Request Problem Information', 'byte', 'CONNECT'],
    [0x18, 'Will Delay Interval', 'four-byte integer', 'WILL'],
    [0x19, 'Request Response Information', 'byte', 'CONNECT'],
    [0x1a, 'Response Information', 'string', 'CONNACK'],
    [0x1c, 'Server Reference', 'string', 'CONNACK DISCONNECT'],
    [0x1f, 'Reason String', 'string', 'CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH'],
    [0x21, 'Receive Maximum', 'two-byte integer', 'CONNECT CONNACK'],
    [0x22, 'Topic Alias Maximum', 'two-byte integer', 'CONNECT CONNACK'],
    [0x23, 'Topic Alias', 'two-byte integer', 'PUBLISH'],
    [0x24, 'Maximum QoS', 'byte', 'CONNACK'],
    [0x25, 'Retain Available', 'byte', 'CONNACK'],
    [0x26, 'User Property', 'string pair', every, every],
    [0x27, 'Maximum Packet Size', 'four-byte integer', 'CONNECT CONNACK'],
    [0x28, 'Wildcard Subscription Available', 'byte', 'CONNACK'],
    [0x29, 'Subscription Identifier Available', 'byte', 'CONNACK'],
    [0x2a, 'Shared Subscription Available', 'byte', 'CONNACK'],
  ];

const rows = typed.map(([identifier, title, type, places, repeats = '']) => ({
  identifier,
  title,
  type,
  places,
  repeats,
}));

it.each(rows)('$title', ({ identifier, title, type, places, repeats }) => {
  expect(propertyWith(identifier)).toMatchObject({ title, type });
  expect([...(propertyWith(identifier)?.places ?? [])].sort()).toEqual(places.split(' ').sort());
  expect((propertyWith(identifier)?.repeatable ?? []).join(' ')).toBe(repeats);
});

it('holds no other property, and each is found by its name', () => {
  expect(properties.map(({ identifier }) => identifier)).toEqual(typed.map(([identifier]) => identifier));
  for (const row of properties) expect(propertyNamed(row.name)).toBe(row);
  expect(propertyWith(0x04)).toBeUndefined();
  expect(() => propertyNamed('constructor')).toThrow(RangeError);
});

it('its places are those of the standard', () => {
  expect(propertyPlaces.join(' ')).toBe(every);
});
