import { expect, it } from 'vitest';
import { allCases } from '../harness/select.ts';
import { prove } from '../reference-broker/prove.ts';
import { connect } from './3.1-connect.ts';
import { cleanSession } from './3.1.2.4-clean-session.ts';
import { wills } from './3.1.2.5-will.ts';
import { keepAlive } from './3.1.2.10-keep-alive.ts';
import { connectProperties } from './3.1.2.11-connect-properties.ts';
import { willProperties } from './3.1.3.2-will-properties.ts';
import { clientIdentifier } from './3.1.3-client-identifier.ts';
import { connectResponse } from './3.1.4-connect-response.ts';

const cases = allCases([connect, cleanSession, wills, keepAlive, connectProperties, willProperties, clientIdentifier, connectResponse]);
it.each(cases.map((each) => [each.info.id, each] as const))('%s', async (_id, each) => {
  const proof = await prove(each);
  expect(proof.problems).toEqual([]);
});
