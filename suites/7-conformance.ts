/** 7 Conformance: a plain client over a plain byte stream is served, and all that it is sent has the format of the standard. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import { pubcomp, publish, pubrec, subscribe, text } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { receiveEveryType } from './2-format.ts';
import { sendCut } from './4.2-network.ts';
import { answerOrClose } from './answer.ts';

const noExtensions: readonly Case[] = [
  {
    id: 'plain-client',
    title: 'serves a client that knows nothing but the standard: connect, subscribe, publish, receive, leave',
    covers: ['v3/7.0.0-2'],
    async run({ open, connectPacket, topic }) {
      const client = await open();
      client.send(connectPacket());
      await client.expect('CONNACK', { code: 0 });
      client.send(subscribe(1, [topic, 0]));
      await client.expect('SUBACK', { packetId: 1, codes: [0] });
      client.send(publish({ topic, payload: 'message' }));
      await client.expect('PUBLISH', { topic, payload: 'message', qos: 0, retain: false });
      await client.disconnect();
    },
  },
];

/** Bytes that repeat in no short period. */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 0x2545f491;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A long message in pieces of all sizes arrives as it was sent. */
async function expectLossless(context: Context, size: number, limited: boolean): Promise<void> {
  const { version, connect, topic, notApplicable } = context;
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  const pacer = await connect({ name: 'pacer' });
  const { maximumPacketSize = Number.POSITIVE_INFINITY } = publisher.connack?.properties ?? {};
  if (size + 1_000 > maximumPacketSize) notApplicable(`CONNACK has Maximum Packet Size ${maximumPacketSize}`);
  await subscriber.subscribe(topic);
  const payload = noise(size);
  const bytes = encode(publish({ topic, payload, qos: 1, packetId: 1 }), version);
  const cuts: number[] = [];
  for (let cut = 1, step = 1; cut < bytes.length; cut += step, step = Math.ceil(step * 1.7)) cuts.push(cut);
  await sendCut(publisher, pacer, bytes, cuts, 'PUBLISH');
  const puback = await answerOrClose(context, publisher, 'PUBACK');
  // A server of 5.0 says in CONNACK what is too large for it.
  if (!puback && limited && version === 'v3') notApplicable(`the broker takes no packet of ${size} bytes`);
  if (puback?.type === 'PUBACK' && (puback.code ?? 0) >= 0x80)
    notApplicable(`the broker answers PUBACK ${code(puback.code ?? 0)}`);
  await subscriber.receive({ topic, payload });
}

const transport: readonly Case[] = (
  [
    [100_000, false],
    [2 ** 20, true],
  ] as const
).map(([size, limited]) => ({
  id: `lossless-stream-${size}`,
  title: `delivers ${size.toLocaleString('en')} bytes of payload that came in pieces of all sizes, byte by byte the same`,
  covers: ['v3/7.1.1-1', 'v5/4.2.0-1'],
  needs: ['qos1'],
  run: (context) => expectLossless(context, size, limited),
}));

const format: readonly Case[] = [
  {
    id: 'format-of-server-packets',
    title: 'sends every type of packet in the format of the standard',
    covers: ['v3/7.1.1~server-output-format'],
    needs: ['qos1', 'qos2'],
    run: receiveEveryType,
  },
  {
    id: 'format-of-packets-on-reconnect',
    title: 'sends what a session has left in the format of the standard, on a new connection',
    covers: ['v3/7.1.1~server-output-format'],
    needs: ['qos1', 'qos2'],
    async run({ connect, topic, clientId, couldNotRun }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect(session)];
      await subscriber.subscribe(`${topic}/1`, 1);
      await subscriber.subscribe(`${topic}/2`, 2);
      await publisher.publish({ topic: `${topic}/2`, payload: 'released', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'released' });
      subscriber.send(pubrec(packetId));
      await subscriber.pick('PUBREL', { packetId });
      subscriber.drop();
      for (const qos of [1, 2] as const) await publisher.publish({ topic: `${topic}/${qos}`, payload: 'queued', qos });
      const again = await connect({ ...session, name: 'subscriber again' });
      const missing = new Set([`${topic}/1`, `${topic}/2`]);
      while (missing.size > 0) {
        // Whether all that is left comes is the matter of section 4.4; here it is the form of what comes.
        const packet = await again.next();
        if (packet?.type === 'PUBREL') again.send(pubcomp(packet.packetId));
        else if (packet?.type !== 'PUBLISH') couldNotRun('the messages that wait for the session do not come');
        else {
          await again.acknowledge(packet);
          if (text(packet.payload) === 'queued') missing.delete(packet.topic);
        }
      }
      await again.fence();
    },
  },
];

export const conformance = chapter(
  '7 Conformance',
  section('7 Conformance', noExtensions),
  section({ v3: '7.1.1 MQTT Server', v5: '4.2 Network Connections' }, transport),
  section('7.1.1 MQTT Server', format),
);
