/** The table of contents: every chapter of the suites, in the order of the standard. */

import type { Chapter } from '../harness/case.ts';
import { dataRepresentations } from './1.5-data.ts';
import { packetIdentifier } from './2.3-packet-identifier.ts';
import { packetFormat } from './2-format.ts';
import { cleanSession } from './3.1.2.4-clean-session.ts';
import { wills } from './3.1.2.5-will.ts';
import { keepAlive } from './3.1.2.10-keep-alive.ts';
import { connectProperties } from './3.1.2.11-connect-properties.ts';
import { willProperties } from './3.1.3.2-will-properties.ts';
import { clientIdentifier } from './3.1.3-client-identifier.ts';
import { connectResponse } from './3.1.4-connect-response.ts';
import { connect } from './3.1-connect.ts';
import { connackProperties } from './3.2.2.3-connack-properties.ts';
import { connack } from './3.2-connack.ts';
import { retain } from './3.3.1.3-retain.ts';
import { publishProperties } from './3.3.2.3-publish-properties.ts';
import { publishing } from './3.3-publish.ts';
import { acknowledgementReasons } from './3.4-acknowledgement-reasons.ts';
import { acknowledging } from './3.6-pubrel.ts';
import { subscriptionOptions } from './3.8.3.1-subscription-options.ts';
import { subscribing } from './3.8-subscribe.ts';
import { subacknowledging } from './3.9-suback.ts';
import { unsubscribing } from './3.10-unsubscribe.ts';
import { unsubacknowledging } from './3.11-unsuback.ts';
import { ping } from './3.12-pingreq.ts';
import { disconnect } from './3.14-disconnect.ts';
import { storingState } from './4.1-state.ts';
import { network } from './4.2-network.ts';
import { qos } from './4.3-qos.ts';
import { redelivery } from './4.4-redelivery.ts';
import { receipt } from './4.5-receipt.ts';
import { ordering } from './4.6-ordering.ts';
import { topics } from './4.7-topics.ts';
import { sharedSubscriptions } from './4.8.2-shared-subscriptions.ts';
import { errors } from './4.8-errors.ts';
import { flowControl } from './4.9-flow-control.ts';
import { authentication } from './4.12-authentication.ts';
import { errorReasons } from './4.13-error-reasons.ts';
import { conformance } from './7-conformance.ts';
import { crossVersion } from './cross-version.ts';
import { malformedPackets } from './malformed.ts';

export const chapters: readonly Chapter[] = [
  dataRepresentations,
  packetFormat,
  packetIdentifier,
  connect,
  cleanSession,
  connectProperties,
  willProperties,
  wills,
  keepAlive,
  clientIdentifier,
  connectResponse,
  connack,
  connackProperties,
  publishing,
  retain,
  publishProperties,
  acknowledgementReasons,
  acknowledging,
  subscribing,
  subscriptionOptions,
  subacknowledging,
  unsubscribing,
  unsubacknowledging,
  ping,
  disconnect,
  storingState,
  network,
  qos,
  redelivery,
  receipt,
  ordering,
  topics,
  sharedSubscriptions,
  flowControl,
  authentication,
  errors,
  errorReasons,
  conformance,
  crossVersion,
  malformedPackets,
];
