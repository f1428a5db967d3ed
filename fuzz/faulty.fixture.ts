/** Brokers that are broken in ways that no requirement's gate is: the reference broker with something between it and its clients. */

import type { Clock } from '../harness/clock.ts';
import { Unreachable } from '../harness/errors.ts';
import { type Acceptor, memory, type ServerLink, type Transport } from '../harness/transport.ts';
import { createBroker } from '../reference-broker/broker.ts';

/**
 * What is wrong; `crash`, `hang`, `slow` and `busy` begin with a topic or filter whose last level is the name of the fault. A `blocked` broker writes to
 * its clients one after the other: while one does not read, nobody is served.
 */
export type Fault =
  | 'none'
  | 'crash'
  | 'hang'
  | 'leak'
  | 'slow'
  | 'late'
  | 'mute'
  | 'busy'
  | 'blocked'
  | 'duplicate'
  | 'loss'
  | 'disorder'
  | 'desync';

/** How long a `late` broker keeps each message back, while it answers all the rest at once. A `mute` one keeps them for ever. */
const lateMs = 500;
/** How long a `slow` broker lets everybody wait. */
export const slowMs = 3_000;
/** How often a `blocked` one looks whether its client reads again. */
const stuckMs = 10;
/** How long a `busy` one computes. */
const busyMs = 1_100;
/** What a `leak` keeps of each connection. */
export const leakedBytes = 64 * 1_024;

const kept: Uint8Array[] = [];
/** Gives back what `leak` has kept. */
export function forgetLeaks(): void {
  kept.length = 0;
}

/** A faulty broker and the way to it. */
export function faultyBroker(fault: Fault, clock: Clock): Transport {
  const broker = createBroker({ clock });
  let isCrashed = false;
  let busyUntilMs = 0;
  const links = new Set<ServerLink>();
  const acceptor: Acceptor = {
    accept(link) {
      links.add(link);
      /** Serves at the next time when no client is stuck. */
      const whenAllRead = (serve: () => void): void => {
        const isStuck = [...links].some(({ congested }) => congested);
        if (isStuck) clock.after(stuckMs, () => whenAllRead(serve));
        else serve();
      };
      if (fault === 'leak') kept.push(new Uint8Array(leakedBytes).fill(1));
      const connection = broker.accept({ send: sender(fault, link.send, clock), close: link.close });
      let isHanging = false;
      return {
        feed(bytes) {
          const isTrigger = Buffer.from(bytes).includes(`/${fault}`);
          if (isTrigger && fault === 'crash') {
            isCrashed = true;
            for (const each of links) each.close();
          }
          if (isTrigger && fault === 'hang') isHanging = true;
          if (isTrigger && fault === 'busy') compute(busyMs);
          if (isTrigger && fault === 'slow') busyUntilMs = clock.now() + slowMs;
          if (isCrashed || isHanging) return;
          const given = fault === 'desync' ? withoutSurplus(bytes) : bytes;
          const waitMs = busyUntilMs - clock.now();
          if (fault === 'blocked') whenAllRead(() => connection.feed(given));
          else if (waitMs > 0) clock.after(waitMs, () => connection.feed(given));
          else connection.feed(given);
        },
        ended() {
          links.delete(link);
          if (!isHanging) connection.ended();
        },
      };
    },
  };
  const transport = memory(acceptor);
  return {
    open: (events, timeoutMs) => {
      if (isCrashed) return Promise.reject(new Unreachable('the broker is gone'));
      return transport.open(events, timeoutMs);
    },
  };
}

/** Takes so much processor time. */
function compute(ms: number): void {
  const before = process.cpuUsage();
  for (let used = 0; used < ms; ) {
    const { user, system } = process.cpuUsage(before);
    used = (user + system) / 1_000;
  }
}

/** What happens to PUBLISH packets on their way to one client. */
function sender(fault: Fault, send: (bytes: Uint8Array) => void, clock: Clock): (bytes: Uint8Array) => void {
  let publishes = 0;
  let held: Uint8Array | undefined;
  return (bytes) => {
    const isPublish = (bytes[0] ?? 0) >> 4 === 3;
    if (isPublish) publishes++;
    if (isPublish && fault === 'mute') return;
    if (isPublish && fault === 'late') {
      const kept = Uint8Array.from(bytes);
      clock.after(lateMs, () => send(kept));
      return;
    }
    if (isPublish && fault === 'loss' && publishes % 2 === 0) return;
    if (isPublish && fault === 'disorder' && !held) {
      held = Uint8Array.from(bytes);
      return;
    }
    send(bytes);
    if (isPublish && fault === 'duplicate') send(bytes);
    if (held) send(held);
    held = undefined;
  };
}

/** As a framer that takes PINGREQ for two bytes whatever its Remaining Length says, and reads on behind them as if that were a packet. */
function withoutSurplus(bytes: Uint8Array): Uint8Array {
  const given = Buffer.from(bytes);
  const at = given.indexOf(Uint8Array.of(0xc0, 2));
  if (at >= 0) given[at + 1] = 0;
  return given;
}
