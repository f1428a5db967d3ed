/** Retained messages: kept, replaced, deleted, delivered. */

import { describe, expect, it } from 'vitest';
import { publish, suback, subscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { type Stage, start } from './testClient.ts';

let clients = 0;

/** What a new subscriber gets at once. */
function retainedFor(stage: Stage, filter: string, qos: QoS = 2) {
  const client = stage.connect(`subscriber${clients++}`).send(subscribe(1, [filter, qos]));
  return client.read().slice(1);
}

function set(stage: Stage, topic: string, payload: string, qos: QoS, retain = true) {
  stage
    .connect('p')
    .send(publish({ topic, payload, qos, packetId: 1, retain }))
    .drop();
}

const retained = (topic: string, payload: string, qos: QoS, packetId = 1) =>
  publish({ topic, payload, qos, packetId, retain: true });

describe('3.3.1.3 RETAIN', () => {
  it('keeps the last message of a topic with its QoS, for every matching filter', () => {
    const stage = start();
    set(stage, 'a/1', 'old', 2);
    set(stage, 'a/1', 'new', 1);
    set(stage, 'a/2', 'other', 2);
    set(stage, 'b', 'else', 1);
    expect(retainedFor(stage, 'a/1')).toEqual([retained('a/1', 'new', 1)]);
    expect(retainedFor(stage, 'a/1', 0)).toEqual([retained('a/1', 'new', 0)]);
    expect(retainedFor(stage, 'a/#')).toEqual([retained('a/1', 'new', 1), retained('a/2', 'other', 2, 2)]);
    expect(retainedFor(stage, 'c')).toEqual([]);
  });

  it.each([0, 1, 2] as const)('is not touched by RETAIN 0, and deleted by an empty message of QoS %i', (qos) => {
    const stage = start();
    set(stage, 't', 'kept', 1);
    set(stage, 't', 'other', qos, false);
    set(stage, 't', '', qos, false);
    expect(retainedFor(stage, 't')).toEqual([retained('t', 'kept', 1)]);
    const watcher = stage.connect('w').send(subscribe(1, ['t', 0]));
    watcher.read();
    set(stage, 't', '', qos);
    expect(watcher.read()).toEqual([publish({ topic: 't' })]);
    expect(retainedFor(stage, 't')).toEqual([]);
  });

  it.each([
    ['keep', [retained('t', 'new', 0)]],
    ['drop', []],
  ] as const)('a QoS 0 message displaces the former one: %s', (retainedQoS0, expected) => {
    const stage = start({ choices: { retainedQoS0 } });
    set(stage, 't', 'old', 1);
    set(stage, 't', 'new', 0);
    expect(retainedFor(stage, 't')).toEqual(expected);
  });

  it.each([false, true])('comes with each SUBSCRIBE, before SUBACK: %s', (retainedBeforeSuback) => {
    const stage = start({ choices: { retainedBeforeSuback } });
    set(stage, 't', 'x', 0);
    const client = stage.connect('a');
    const expected = [suback(1, [0]), retained('t', 'x', 0)];
    if (retainedBeforeSuback) expected.reverse();
    expect(client.send(subscribe(1, ['t', 0])).read()).toEqual(expected);
    expect(client.send(subscribe(1, ['t', 0])).read()).toEqual(expected);
  });

  it('is kept as long as there is room', () => {
    const stage = start({ maximumRetainedBytes: 1_200 });
    set(stage, 'a', 'x'.repeat(400), 0);
    set(stage, 'b', 'x'.repeat(400), 0);
    expect(retainedFor(stage, '+')).toHaveLength(1);
    set(stage, 'a', '', 0);
    set(stage, 'b', 'x', 0);
    expect(retainedFor(stage, '+')).toEqual([retained('b', 'x', 0)]);
  });
});
