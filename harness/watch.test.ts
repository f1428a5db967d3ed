import { describe, expect, it } from 'vitest';
import type { RequirementId } from './spec/index.ts';
import { brokenIn, publish, type Step } from './watch.fixture.ts';
import { Watch } from './watch.ts';
import * as build from './wire/build.ts';

const connected: readonly Step[] = [
  ['client', build.connect({ clientId: 'a' })],
  ['server', build.connack()],
];

const broken = (...steps: readonly Step[]) => brokenIn('v3', steps);

describe('what a server may send at any time', () => {
  it.each<[string, Step[]]>([
    [
      'its answers',
      [
        ['client', build.pingreq()],
        ['server', build.pingresp()],
      ],
    ],
    [
      'a QoS 2 message',
      [
        ['server', publish({ qos: 2, packetId: 1 })],
        ['client', build.pubrec(1)],
        ['server', build.pubrel(1)],
        ['client', build.pubcomp(1)],
        ['server', publish({ qos: 2, packetId: 1 })],
      ],
    ],
    [
      'a retransmission with DUP 1',
      [
        ['server', publish({ qos: 1, packetId: 1 })],
        ['server', publish({ qos: 1, packetId: 1, dup: true })],
      ],
    ],
    [
      'an identifier freed by PUBACK',
      [
        ['server', publish({ qos: 1, packetId: 1 })],
        ['client', build.puback(1)],
        ['server', publish({ qos: 1, packetId: 1 })],
      ],
    ],
    [
      'a PUBREL again',
      [
        ['server', publish({ qos: 2, packetId: 1 })],
        ['client', build.pubrec(1)],
        ['server', build.pubrel(1)],
        ['server', build.pubrel(1)],
      ],
    ],
  ])('%s', (_, steps) => {
    expect(broken(...connected, ...steps)).toEqual([]);
  });

  it('takes a PUBREL of an earlier connection for an answer when the session is resumed', () => {
    const resumed: Step[] = [
      ['client', build.connect({ clientId: 'a', clean: false })],
      ['server', build.connack({ sessionPresent: true })],
    ];
    expect(broken(...resumed, ['server', build.pubrel(5)])).toEqual([]);
    expect(broken(...connected, ['server', build.pubrel(5)])).toContain('v3/2.3.1-6');
  });

  it('does not judge answers to bytes that are no packet', () => {
    const watch = new Watch('v3');
    for (const [who, packet] of connected) who === 'client' ? watch.sent(packet) : watch.received(packet);
    watch.sent(undefined);
    watch.received(build.puback(7));
    watch.received(build.pingresp());
  });
});

describe('what a server never sends', () => {
  it.each<[string, RequirementId, Step[]]>([
    [
      'a packet before CONNACK',
      'v3/3.2.0-1',
      [
        ['client', build.connect({ clientId: 'a' })],
        ['server', build.pingresp()],
      ],
    ],
    ['a CONNACK before CONNECT', 'v3/3.2.0-1', [['server', build.connack()]]],
    ['a second CONNACK', 'v3/3.2.0-1', [...connected, ['server', build.connack()]]],
    [
      'a packet after a refusal',
      'v3/3.2.0-1',
      [
        ['client', build.connect({ clientId: 'a' })],
        ['server', build.connack({ code: 2 })],
        ['server', build.pingresp()],
      ],
    ],
    [
      'Session Present with a refusal',
      'v3/3.2.2-4',
      [
        ['client', build.connect({ clientId: 'a' })],
        ['server', build.connack({ code: 2, sessionPresent: true })],
      ],
    ],
    ['QoS 0 with DUP 1', 'v3/3.3.1-2', [...connected, ['server', publish({ dup: true })]]],
    ['a Topic Name with a wildcard', 'v3/3.3.2-2', [...connected, ['server', publish({ topic: 'a/#' })]]],
    [
      'a new message with an identifier in flight',
      'v3/2.3.1-4',
      [
        ...connected,
        ['server', publish({ qos: 1, packetId: 1 })],
        ['server', publish({ qos: 1, packetId: 1, payload: 'x' })],
      ],
    ],
    [
      'a PUBLISH between PUBREC and PUBCOMP of its identifier',
      'v3/4.3.3-1',
      [
        ...connected,
        ['server', publish({ qos: 2, packetId: 1 })],
        ['client', build.pubrec(1)],
        ['server', publish({ qos: 2, packetId: 1, dup: true })],
      ],
    ],
    [
      'a PINGRESP too many',
      'v3/3.12~one-pingresp-each',
      [...connected, ['client', build.pingreq()], ['server', build.pingresp()], ['server', build.pingresp()]],
    ],
    [
      'a PUBACK for another identifier',
      'v3/2.3.1-6',
      [...connected, ['client', publish({ qos: 1, packetId: 1 })], ['server', build.puback(2)]],
    ],
    [
      'a second PUBACK',
      'v3/2.3.1-6',
      [
        ...connected,
        ['client', publish({ qos: 1, packetId: 1 })],
        ['server', build.puback(1)],
        ['server', build.puback(1)],
      ],
    ],
    [
      'PUBREC for QoS 1',
      'v3/4.3.3-2',
      [...connected, ['client', publish({ qos: 1, packetId: 1 })], ['server', build.pubrec(1)]],
    ],
    [
      'PUBCOMP without PUBREL',
      'v3/4.3.3-2',
      [...connected, ['client', publish({ qos: 2, packetId: 1 })], ['server', build.pubcomp(1)]],
    ],
    [
      'SUBACK for another identifier',
      'v3/3.8.4-2',
      [...connected, ['client', build.subscribe(1, ['t', 0])], ['server', build.suback(2, [0])]],
    ],
    [
      'SUBACK with too few codes',
      'v3/3.8.4-5',
      [...connected, ['client', build.subscribe(1, ['t', 0], ['u', 0])], ['server', build.suback(1, [0])]],
    ],
    [
      'UNSUBACK for another identifier',
      'v3/3.10.4-4',
      [...connected, ['client', build.unsubscribe(1, 't')], ['server', build.unsuback(2)]],
    ],
  ])('%s breaks %s', (_, id, steps) => {
    expect(broken(...steps)).toContain(id);
  });
});

it("leaves the Topic Name of other people's messages to their authors, and judges the rest of the packet", () => {
  const watch = new Watch('v3');
  watch.sent(build.connect({ clientId: 'a' }));
  watch.received(build.connack());
  const received = (fields: Partial<build.PublishFields>, own: boolean) =>
    watch.received(publish({ topic: 'a/#', ...fields }), 0, () => own);
  received({}, false);
  expect(() => received({ dup: true }, false)).toThrow('DUP 1');
  expect(() => received({}, true)).toThrow('a/#');
});
