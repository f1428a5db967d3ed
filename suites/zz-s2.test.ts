import { describe, expect, it } from 'vitest';
import { allCases } from '../harness/select.ts';
import { prove } from '../reference-broker/prove.ts';
import { dataRepresentations } from './1.5-data.ts';
import { packetIdentifier } from './2.3-packet-identifier.ts';
import { packetFormat } from './2-format.ts';
import { connackProperties } from './3.2.2.3-connack-properties.ts';
import { connack } from './3.2-connack.ts';
import { ping } from './3.12-pingreq.ts';
import { disconnect } from './3.14-disconnect.ts';
import { network } from './4.2-network.ts';
import { errors } from './4.8-errors.ts';
import { authentication } from './4.12-authentication.ts';
import { errorReasons } from './4.13-error-reasons.ts';
import { conformance } from './7-conformance.ts';
import { malformedPackets } from './malformed.ts';
const chapters = [dataRepresentations, packetFormat, packetIdentifier, connack, connackProperties, ping, disconnect, network, errors, authentication, errorReasons, conformance, malformedPackets];
const killed = new Set<string>(), consulted = new Set<string>();
const filter = new RegExp(process.env.S2 ?? '.');
describe('s2', () => {
  it.each(allCases(chapters).filter((each) => filter.test(each.info.id)).map((each) => [each.info.id, each] as const))('%s', async (_id, each) => {
    const proof = await prove(each);
    expect(proof.problems).toEqual([]);
  });
});
