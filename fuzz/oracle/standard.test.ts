import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../harness/clock.ts';
import { connect, publish, subscribe } from '../../harness/wire/build.ts';
import type { Packet } from '../../harness/wire/packet.ts';
import { fromHex } from '../../harness/wire/utf8.ts';
import { dataFrom } from '../data.ts';
import { played } from '../memory.fixture.ts';
import { play } from '../play.ts';
import { caseName } from '../record.ts';
import type { Script, Step } from '../script.ts';
import { standard } from './standard.ts';

const send = (packet: Packet, client = 0): Step => ({ client, do: 'send', packet: dataFrom(packet) });
const raw = (hex: string, client = 0): Step => ({ client, do: 'raw', hex: hex.replaceAll(' ', '') });
const hello = {
  v3: send(connect({ clientId: `${caseName}a` })),
  v5: send(connect({ clientId: `${caseName}a`, protocolLevel: 5 })),
};
const script = (version: 'v3' | 'v5', ...steps: Step[]): Script => ({ clients: [{ version }], steps });

/** Plays a script on a broker that says these bytes to whatever comes, then closes at the end. */
async function against(answer: string, asked: Script) {
  const clock = new VirtualClock();
  const recording = await clock.run(
    play(asked, {
      transport: {
        open: async (events) => ({
          write: () => queueMicrotask(() => events.data(fromHex(answer))),
          end: () => queueMicrotask(() => events.closed('FIN')),
          reset: () => {},
          pause: () => {},
          resume: () => {},
        }),
      },
      clock,
      timeoutMs: 1_000,
      manners: { answersBeforeClose: true, closesAfterFin: true },
    }),
  );
  return standard(recording);
}

describe('standard', () => {
  it.each([
    ['a malformed reply', '20 02 00 00 D1 00', script('v3', hello.v3), 'v3/2.2.2-1'],
    ['a packet that only clients send', '20 02 00 00 C0 00', script('v3', hello.v3), 'v3/2.2.1~packet-direction'],
    ['a packet before CONNACK', 'D0 00', script('v3', hello.v3, raw('C0 00')), 'v3/3.2.0-1'],
    ['a second CONNACK', '20 02 00 00 20 02 00 00', script('v3', hello.v3), 'v3/3.2.0-1'],
    [
      'a PINGRESP too many',
      '20 02 00 00 D0 00 D0 00',
      script('v3', hello.v3, raw('C0 00')),
      'v3/3.12~one-pingresp-each',
    ],
    [
      'a PUBLISH of QoS 2 that is answered as one of QoS 1, whatever comes behind it',
      '20 02 00 00 40 02 00 07',
      script(
        'v3',
        hello.v3,
        send(publish({ topic: `${caseName}/a`, payload: 'x', qos: 2, packetId: 7 })),
        raw('C1 00'),
      ),
      'v3/3.3.4-1',
    ],
    ['an acknowledgement of nothing', '20 02 00 00 40 02 00 07', script('v3', hello.v3), 'v3/2.3.1-6'],
    ['the answer to a malformed packet', '20 02 00 00 D0 00', script('v3', hello.v3, raw('C1 00')), 'v3/2.2.2-2'],
    [
      'an answer behind a malformed packet',
      '20 02 00 00 D0 00',
      script('v3', hello.v3, raw('C1 00 C0 00')),
      'v3/2.2.2-2',
    ],
    [
      'a SUBACK of the wrong length',
      '20 02 00 00 90 04 00 01 00 00',
      script('v3', hello.v3, send(subscribe(1, ['a', 0]))),
      'v3/3.8.4-5',
    ],
    ['DUP with QoS 0', `20 02 00 00 38 03 00 01 61`, script('v3', hello.v3), 'v3/3.3.1-2'],
    [
      'an identifier in use',
      `20 02 00 00 32 05 00 01 61 00 01 32 05 00 01 61 00 01`,
      script('v3', hello.v3),
      'v3/2.3.1-4',
    ],
    [
      'an accepted malformed CONNECT',
      '20 02 00 00',
      script('v3', raw('10 0C 00 04 4D 51 54 54 04 03 00 3C 00 00')),
      'v3/3.1.2-3',
    ],
    ['a DISCONNECT before CONNACK', 'E0 01 81', script('v5', hello.v5), 'v5/3.14.0-1'],
    ['an answer behind a refusal', '20 03 87 00 00 D0 00', script('v5', hello.v5, raw('C0 00')), 'v5/3.2.2-1'],
  ] as const)('finds %s', async (_, answer, asked, id) => {
    const found = await against(answer, asked);
    expect(found.map(({ requirements }) => requirements[0])).toEqual([id]);
  });

  it.each([
    ['a refusal in the form of 3.1.1', '20 02 00 01', script('v5', hello.v5)],
    ['a refusal of a malformed CONNECT', '20 02 00 02', script('v3', raw('10 0C 00 04 4D 51 54 54 04 03 00 3C 00 00'))],
    ['a PINGRESP to what is only discouraged', '20 03 00 00 00 D0 00', script('v5', hello.v5, raw('C0 80 00'))],
    [
      'whatever another protocol answers',
      '20 02 07 09',
      script('v3', raw('10 0E 00 06 4D 51 49 73 64 70 03 02 00 3C 00 00')),
    ],
    ['an answer behind DISCONNECT', '20 02 00 00 D0 00', script('v3', hello.v3, raw('E0 00 C0 00'))],
  ] as const)('lets %s pass', async (_, answer, asked) => expect(await against(answer, asked)).toEqual([]));

  it('finds the message that comes out of a malformed packet', async () => {
    const topic = `${caseName}/t`;
    const surplus: Step = {
      client: 0,
      do: 'send',
      packet: dataFrom(publish({ topic, payload: 'x', qos: 1, packetId: 1 })),
    };
    const asked = script('v3', hello.v3, send(subscribe(1, [topic, 0])), raw('C1 00'), surplus);
    expect(standard(await played(asked))).toEqual([]);
    const found = standard(await played(asked, { faults: ['v3/2.2.2-2', 'v3/4.8.0-1', 'v5/4.13.1-1', 'v5/2.1.3-1'] }));
    expect(found.map(({ kind }) => kind)).toContain('passed over: PINGREQ against v3/2.2.2-2');
  });
});
