/** A broker in a process of its own that dies of a certain packet: just enough MQTT 3.1.1 for a client to see that it serves. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './cli/temporary.fixture.ts';

/** Plain JavaScript: Node 20 takes no types away. */
const source = `
import { existsSync, writeFileSync } from 'node:fs';
import net from 'node:net';

const [port, trigger = '', death = '', once = ''] = process.argv.slice(2);
const subscribers = new Map();

function die() {
  if (once !== '' && existsSync(once)) return;
  if (once !== '') writeFileSync(once, '');
  console.error('assertion failed: ' + trigger);
  if (death === 'exit') process.exit(3);
  if (death === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  process.kill(process.pid, death);
}

function take(socket, packet, body) {
  const type = packet[0] >> 4;
  const qos = (packet[0] >> 1) & 3;
  if (trigger !== '' && (body.includes(trigger) || (trigger === 'QoS 1' && type === 3 && qos === 1))) die();
  if (type === 1 && body[6] !== 4) return socket.end(Buffer.of(0x20, 2, 0, 1));
  if (type === 1) socket.write(Buffer.of(0x20, 2, 0, 0));
  if (type === 12) socket.write(Buffer.of(0xd0, 0));
  if (type === 8) {
    const length = body.readUInt16BE(2);
    subscribers.set(socket, body.toString('latin1', 4, 4 + length));
    socket.write(Buffer.of(0x90, 3, body[0], body[1], body[4 + length]));
  }
  if (type === 3) {
    const topic = body.toString('latin1', 2, 2 + body.readUInt16BE(0));
    for (const [other, filter] of subscribers) if (filter === topic && qos === 0) other.write(packet);
  }
}

net
  .createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => subscribers.delete(socket));
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      // Whoever is served here sends short packets.
      while (rest.length >= 2 && rest.length >= 2 + rest[1]) {
        const packet = rest.subarray(0, 2 + rest[1]);
        rest = rest.subarray(packet.length);
        take(socket, packet, packet.subarray(2));
      }
    });
  })
  .listen(Number(port), '127.0.0.1', () => console.log('listens, process ' + process.pid));
`;

export type Death = 'exit' | 'SIGSEGV' | 'hang';

/** The command that starts it. It dies of a packet that contains the trigger; with `once`, of the first one only, also when it is started again. */
export async function mortalBroker(trigger = '', death: Death = 'exit', { once = false } = {}): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, 'broker.mjs');
  await writeFile(path, source);
  const words = [process.execPath, path, '{port}', trigger, death, ...(once ? [join(folder, 'dead')] : [])];
  return words.map((word) => (word === '{port}' ? word : `'${word}'`)).join(' ');
}
