/** The server's own topics, which begin with `$SYS/` as is customary (section 4.7.2). */

import { distribute } from './deliver.ts';
import { message } from './message.ts';
import type { Server } from './server.ts';

/** Names the program, once and for all subscriptions to come. */
export function announceProgram(server: Server): void {
  announce(server, '$SYS/broker/version', 'mqtt-conform reference broker');
}

/** Tells how many clients are connected. */
export function announceClients(server: Server): void {
  announce(server, '$SYS/broker/clients/connected', String(server.connections.size));
}

function announce(server: Server, topic: string, text: string): void {
  distribute(server, message({ topic, payload: Buffer.from(text), qos: 1, retain: true, dup: false }));
}
