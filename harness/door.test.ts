import { expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';
import { throughDoor } from './door.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';

const link: Link = { write: () => {}, end: () => {}, reset: () => {}, pause: () => {}, resume: () => {} };
const nobody: LinkEvents = { data: () => {}, closed: () => {} };

/** One turn of the event loop: all that can happen without time has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

function broker() {
  const opened: LinkEvents[] = [];
  const transport: Transport = {
    async open(events) {
      opened.push(events);
      return link;
    },
  };
  return { opened, transport };
}

test('lets in so many at a time, and the next ones when those are answered or refused', async () => {
  const { opened, transport } = broker();
  const door = throughDoor(transport, new VirtualClock(), 2);
  for (let count = 0; count < 5; count++) void door.open(nobody, 1000);
  await turn();
  expect(opened).toHaveLength(2);
  opened[0]?.data(Uint8Array.of(1));
  opened[0]?.data(Uint8Array.of(2));
  await turn();
  expect(opened).toHaveLength(3);
  opened[1]?.closed('FIN');
  await turn();
  expect(opened).toHaveLength(4);
});

test('makes nobody wait for ever for those that get no answer', async () => {
  const { opened, transport } = broker();
  const clock = new VirtualClock();
  const door = throughDoor(transport, clock, 1);
  for (let count = 0; count < 3; count++) void door.open(nobody, 1000);
  await turn();
  expect(opened).toHaveLength(1);
  clock.advance();
  await turn();
  expect(opened).toHaveLength(2);
});

test('lets the next one in when a connection can not be opened, and hands on what happens', async () => {
  let tries = 0;
  const seen: string[] = [];
  const events: LinkEvents = { data: (bytes) => seen.push(`${bytes[0]}`), closed: (how) => seen.push(how) };
  const transport: Transport = {
    async open(own) {
      if (tries++ === 0) throw new Error('refused');
      own.data(Uint8Array.of(7));
      own.closed('RST');
      return link;
    },
  };
  const door = throughDoor(transport, new VirtualClock(), 1);
  const first = door.open(nobody, 1000);
  const second = door.open(events, 1000);
  await expect(first).rejects.toThrow('refused');
  await expect(second).resolves.toBe(link);
  expect(seen).toEqual(['7', 'RST']);
});
