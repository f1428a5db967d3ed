/** 3.4 to 3.7: the form of PUBACK, PUBREC, PUBREL and PUBCOMP. What they mean for an exchange stands in 4.3. */

import { type Case, chapter, section } from '../harness/case.ts';
import { pubcomp, publish, pubrec, pubrel } from '../harness/wire/build.ts';

/** Packet Identifiers at the borders of their two bytes. */
const identifiers = [1, 0x7f, 0x80, 0xff, 0x100, 0x1234, 0x7fff, 0x8000, 0xffff];

const pubackSection = section('3.4 PUBACK', [
  {
    id: 'form',
    title: 'sends PUBACK with no flags and the Packet Identifier alone',
    covers: [
      'v3/2.1~fixed-packet-sizes',
      'v3/2.2.2-1',
      'v3/2.3.1-6',
      'v5/2.1.4~content-length',
      'v5/2.1.3-1',
      'v5/2.2.1-5',
    ],
    async run({ connect, topic }) {
      const publisher = await connect();
      for (const packetId of identifiers) {
        publisher.send(publish({ topic, payload: 'm', qos: 1, packetId }));
        await publisher.expect('PUBACK', { packetId });
      }
    },
  },
]);

const pubrecSection = section('3.5 PUBREC', [
  {
    id: 'form',
    title: 'sends PUBREC with no flags and the Packet Identifier alone',
    needs: ['qos2'],
    covers: [
      'v3/2.1~fixed-packet-sizes',
      'v3/2.2.2-1',
      'v3/2.3.1-6',
      'v5/2.1.4~content-length',
      'v5/2.1.3-1',
      'v5/2.2.1-5',
    ],
    async run({ connect, topic }) {
      const publisher = await connect();
      for (const packetId of identifiers) {
        publisher.send(publish({ topic, payload: 'm', qos: 2, packetId }));
        await publisher.expect('PUBREC', { packetId });
      }
    },
  },
]);

// ── 3.6 PUBREL ───────────────────────────────────────────────────────────────────────────────────────────────────────

const wrongFlags = Array.from({ length: 16 }, (_, flags) => flags).filter((flags) => flags !== 0b0010);

const malformedPubrel = wrongFlags.map(
  (flags): Case => ({
    id: `flags-${flags.toString(16)}-then-right`,
    title: `closes on a PUBREL with the flags ${flags.toString(2).padStart(4, '0')}, and completes the exchange on a right one later`,
    covers: ['v3/3.6.1-1', 'v5/3.6.1-1'],
    needs: ['qos2'],
    tags: ['exactly-once'],
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('publisher'), clean: false };
      const [subscriber, publisher] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 2);
      publisher.send(publish({ topic, payload: 'once', qos: 2, packetId: 7 }));
      await publisher.expect('PUBREC', { packetId: 7 });
      publisher.send(pubrel(7), { header: [0x60 | flags] });
      await publisher.expectClose();
      const again = await connect({ ...session, name: 'publisher again' });
      again.send(pubrel(7));
      await again.expect('PUBCOMP', { packetId: 7 });
      await again.publish({ topic, payload: 'fence', qos: 2 });
      await subscriber.receive({ topic, payload: 'once', qos: 2 });
      await subscriber.receive({ topic, payload: 'fence', qos: 2 });
    },
  }),
);

const pubrelHeader = section('3.6.1 PUBREL Fixed header', [
  ...malformedPubrel,
  {
    id: 'form',
    title: 'sends PUBREL with the flags 0010 and the Packet Identifier alone',
    covers: [
      'v3/2.1~fixed-packet-sizes',
      'v3/2.2.2-1',
      'v3/2.3.1-6',
      'v5/2.1.4~content-length',
      'v5/2.1.3-1',
      'v5/2.2.1-5',
    ],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const payload of ['1', '2', '3']) {
        await publisher.publish({ topic, payload, qos: 2 });
        const { packetId = 0 } = await subscriber.message({ payload });
        subscriber.send(pubrec(packetId));
        await subscriber.expect('PUBREL', { packetId });
        subscriber.send(pubcomp(packetId));
      }
    },
  },
  {
    id: 'form-again',
    title: 'sends PUBREL with the flags 0010 and the Packet Identifier alone when it sends it again',
    covers: ['v3/2.1~fixed-packet-sizes', 'v3/2.2.2-1', 'v5/2.1.4~content-length', 'v5/2.1.3-1'],
    needs: ['qos2'],
    async run({ connect, topic, clientId, couldNotRun }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'once', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'once' });
      subscriber.send(pubrec(packetId));
      await subscriber.pick('PUBREL', { packetId });
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      // That it sends it again, and nothing else, is the matter of 4.4; its form is judged as it comes.
      if ((await again.next())?.type !== 'PUBREL') couldNotRun('PUBREL is not sent again');
    },
  },
]);

const pubcompSection = section('3.7 PUBCOMP', [
  {
    id: 'form',
    title: 'sends PUBCOMP with no flags and the Packet Identifier alone',
    needs: ['qos2'],
    covers: [
      'v3/2.1~fixed-packet-sizes',
      'v3/2.2.2-1',
      'v3/4.3.3-2',
      'v5/2.1.4~content-length',
      'v5/2.1.3-1',
      'v5/4.3.3-8',
      'v5/4.3.3-11',
    ],
    async run({ connect, topic }) {
      const publisher = await connect();
      for (const packetId of identifiers) {
        publisher.send(publish({ topic, payload: 'm', qos: 2, packetId }));
        await publisher.expect('PUBREC', { packetId });
        publisher.send(pubrel(packetId));
        await publisher.expect('PUBCOMP', { packetId });
      }
    },
  },
]);

export const acknowledging = chapter(
  '3.4–3.7 PUBACK, PUBREC, PUBREL, PUBCOMP',
  pubackSection,
  pubrecSection,
  pubrelHeader,
  pubcompSection,
);
