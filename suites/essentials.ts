/** What every course and book on MQTT teaches, each statement with the cases that hold a broker to it. */

/** One thing that everybody who learns MQTT is told. */
export interface Essential {
  /** What it is about: `Sessions`. Rows of a topic stand together. */
  readonly topic: string;
  /** In our words. */
  readonly statement: string;
  /** Ids of cases, or globs of them, as the command line takes them; without a version those of both, where it is the same in both. */
  readonly cases: readonly string[];
}

function about(topic: string, rows: readonly (readonly [statement: string, ...cases: string[]])[]): Essential[] {
  return rows.map(([statement, ...cases]) => ({ topic, statement, cases }));
}

export const essentials: readonly Essential[] = [
  ...about('Sessions', [
    [
      'A session that is to be stored (CleanSession 0; in 5.0 a Session Expiry Interval) outlives the connection, however that ends.',
      '3.1.2.4/kept-*',
      '4.1/all-parts-after-*',
      '3.1.2.10/session-outlives-silence',
    ],
    [
      'There is one connection for each Client Identifier: a new one takes over, and the older one is closed.',
      '3.1.4/take-over-*',
    ],
    [
      'With CleanSession 1 (5.0: Clean Start 1) the client begins anew; unless 5.0 asks for more, its session ends with the connection.',
      '3.1.2.4/clean-session-ends-with-*',
      '3.1.2.4/discards-*',
      'v3/3.1.2.4/discarded-stays-discarded',
    ],
    ['CONNACK tells by Session Present whether a session was there.', 'v3/3.2.2.2/*', 'v5/3.2.2.1.1/*'],
    [
      'The server keeps in a session: subscriptions, messages of QoS 1 and 2 that are unacknowledged or wait for the client, and what the client has sent with QoS 2 and not released.',
      '3.1.2.4/state-*',
      '4.1/subscription',
      '4.1/unacknowledged-*',
      '4.1/waiting-message',
      '4.1/unreleased-message',
    ],
    [
      'Messages wait for a subscriber that is away; none do for one that has unsubscribed before it left.',
      '3.1.2.4/queued-*',
      '3.1.2.4/unsubscribed-is-not-queued',
      '4.6/offline-then-live-*',
    ],
    [
      'Retained messages belong to no session, and outlive them all.',
      '3.1.2.4/retained-outlives-*',
      '4.1/retained-outlives-all-clients',
    ],
  ]),
  ...about('Connecting', [
    ['CONNECT is the first packet of a connection, and comes once.', '3.1/first-packet-*', '3.1/second-connect-*'],
    [
      'A Client Identifier of 1 to 23 of the characters 0-9a-zA-Z is always accepted.',
      '3.1.3.1/accepts-*',
      '3.1.3.1/distinct-by-case',
    ],
    [
      'In 3.1.1 an empty Client Identifier goes with CleanSession 1 only; else the answer is return code 2.',
      'v3/3.1.3.1/empty-*',
    ],
    [
      'The CONNECT flags say which fields follow: will, user name, password; in 3.1.1 no password goes without a user name.',
      '3.1.2.3/every-combination*',
      '3.1.3/*',
      '3.1.2.8/*',
      'v3/3.1.2.9/*',
    ],
    ['The reserved CONNECT flag is 0.', '3.1.2.3/connect-reserved-flag*'],
    [
      'CONNACK (in 3.1.1 `20 02`) is the first packet from the server: Session Present and a return code.',
      '3.2/*',
      'v3/2.1/sizes-of-server-packets',
      'v3/2.2.2/flags-of-server-packets',
      'v5/2.1.3/flags-of-server-packets',
    ],
    [
      'In 3.1.1 return code 1 refuses the protocol version, 2 the Client Identifier, 4 or 5 the credentials; then the connection is closed.',
      'v3/3.1.2.2/level-*',
      'v3/3.2.2.3/*',
      'v3/3.1.3.1/empty-without-clean-session-*',
      'v3/3.1.4/credentials-*',
    ],
    ['After DISCONNECT the server closes, and answers nothing more.', '3.14.4/*'],
  ]),
  ...about('Keep Alive', [
    [
      'A client that is silent for 1.5 × Keep Alive is disconnected; any packet that it sends counts.',
      '3.1.2.10/silent-*',
      '3.1.2.10/received-packets-do-not-count',
      '3.1.2.10/kept-alive-by-*',
    ],
    ['Keep Alive goes up to 65,535 s; 0 turns it off.', '3.1.2.10/keep-alive-*', '3.1.4/accepts-keep-alive-*'],
    ['Each PINGREQ is answered by a PINGRESP.', '3.12.4/*', '3.12/one-answer-each-*'],
  ]),
  ...about('Wills', [
    [
      'Will Flag: with it there is a will, without it none.',
      '3.1.2.5/none-without-will-flag-*',
      '3.1.2.5/*will-flag-*',
    ],
    ['Will QoS is 0, 1 or 2, and the will is delivered with it.', '3.1.2.6/*'],
    ['Will Retain decides whether the will is retained.', '3.1.2.7/*'],
    [
      'The will goes to its Will Topic.',
      'v3/3.1.3.2/topic-*',
      'v5/3.1.3.3/topic-*',
      'v3/1.5.3/will-topic-u-*',
      'v5/1.5.4/will-topic-u-*',
    ],
    ['The Will Message is any bytes.', 'v3/3.1.3.3/*', 'v5/3.1.3.4/*'],
    ['Trigger: the network fails.', '3.1.2.5/published-after-rst*', '3.1.2.5/published-after-fin*'],
    ['Trigger: the client is silent beyond its Keep Alive.', '3.1.2.5/published-after-keep-alive', '3.1.2.10/silent-*'],
    [
      'Trigger: the client closes without DISCONNECT, or another connection takes over.',
      '3.1.2.5/published-after-fin*',
      '3.1.2.5/published-on-*',
    ],
    [
      'Trigger: the server closes because of a protocol error.',
      '3.1.2.5/published-after-second-connect',
      '3.1.2.5/published-after-reserved-type',
      '3.1.2.5/published-after-publish-*',
      '3.1.2.5/published-after-subscribe-*',
    ],
    ['After DISCONNECT there is no will.', '3.1.2.5/deleted-by-disconnect-*', '4.2/disconnect-cut'],
  ]),
  ...about('Packet Identifiers', [
    [
      'They are never 0.',
      'v3/2.3.1/*-id-0',
      'v5/2.2.1/*-id-0',
      'v3/2.3.1/server-identifiers-all-round',
      'v5/2.2.1/server-identifiers-all-round',
      '3.3.2.2/qos?-has-identifier',
    ],
    [
      'One identifier goes through a whole exchange.',
      'v3/2.3.1/*-repeats-identifier',
      'v5/2.2.1/*-repeats-identifier',
      'v3/2.3.1/answers-of-all-kinds-repeat-identifiers',
      'v5/2.2.1/answers-of-all-kinds-repeat-identifiers',
      '4.3.3/sender-flow',
    ],
    [
      'New messages get identifiers that are not in use.',
      'v3/2.3.1/server-identifiers-distinct',
      'v5/2.2.1/server-identifiers-distinct',
      'v3/2.3.1/server-identifiers-kept-on-reconnect',
      'v5/2.2.1/server-identifiers-kept-on-reconnect',
      '4.3.2/unacknowledged-kept-apart',
    ],
    [
      'They are free again after the last acknowledgement.',
      'v3/2.3.1/identifier-free-*',
      'v3/2.3.1/every-identifier',
      'v3/2.3.1/server-identifier-held-until-pubcomp',
      'v5/2.2.1/server-identifier-held-until-pubcomp',
      '4.3.2/identifier-reused-after-puback',
      '4.3.3/identifier-reused-after-pubcomp',
    ],
    [
      'Client and server count on their own: the same identifier may be in use in both directions.',
      'v3/2.3.1/same-identifier-*',
      'v5/2.2.1/same-identifier-*',
      'v3/2.3.1/puback-frees-the-message-of-the-server',
      'v5/2.2.1/puback-frees-the-message-of-the-server',
    ],
    [
      'A QoS 0 PUBLISH has none.',
      'v3/2.3.1/no-identifier-with-qos0-*',
      'v5/2.2.1/no-identifier-with-qos0-*',
      '3.3.2.2/downgraded-*',
    ],
  ]),
  ...about('Publishing and subscribing', [
    [
      'Publishers and subscribers do not know each other: each message goes to every subscriber.',
      '4.5/every-*',
      '4.5/publisher-gone-*',
    ],
    ['A client may be both, and then gets its own messages.', '4.5/own-message-*', '3.3.1.3/live-own'],
    ['SUBSCRIBE begins with `82`: its flags are 0010.', '3.8.1/*'],
    [
      'SUBACK has the identifier of the SUBSCRIBE, and one return code for each filter, in their order.',
      '3.8.4/suback-*',
      '3.8.4/*-filters',
      '3.9.3/*',
    ],
    ['UNSUBSCRIBE begins with `A2`: its flags are 0010.', '3.10.1/*'],
    [
      'UNSUBACK has the identifier of the UNSUBSCRIBE, and in 3.1.1 no payload.',
      '3.11/*',
      'v3/2.3.1/unsuback-repeats-identifier',
      'v5/2.2.1/unsuback-repeats-identifier',
    ],
    ['After UNSUBACK nothing more is delivered for the subscription.', '3.10.4/stops-*', '3.10.4/ended-for-good'],
    ['DUP is set when a PUBLISH is sent again, and is not passed on.', '3.3.1.1/*', '4.4/dup-*'],
    ['RETAIN: the last such message of a topic is kept for later subscribers; an empty one removes it.', '3.3.1.3/*'],
  ]),
  ...about('Topics', [
    ['Levels are separated by `/`, and may be empty.', '4.7.1.1/*', '4.7.3/levels-*'],
    ['`+` stands for one level.', '4.7.1.3/*'],
    ['`#` stands for the rest, its parent included, and comes last.', '4.7.1.2/*'],
    ['Wildcards are for filters: nobody publishes to them.', '4.7.1/*', '3.3.2.1/*-leaves-no-trace'],
    ['Topics are case sensitive, and every character counts.', '4.7.3/case-sensitive*', '4.7.3/spaces*'],
    [
      'Topics that begin with `$` are not matched by a wildcard in the first level.',
      '4.7.2/dollar-topic-not-matched-by-*',
    ],
  ]),
  ...about('Quality of Service', [
    ['QoS 0, at most once: no answer, no repetition.', '4.3.1/*'],
    [
      'QoS 1, at least once: PUBLISH, PUBACK, and PUBLISH again on a new connection until then.',
      '4.3.2/*',
      '4.4/qos-1-publish-*',
    ],
    [
      'QoS 2, exactly once: PUBLISH, PUBREC, PUBREL, PUBCOMP, with no second delivery.',
      '4.3.3/*',
      '4.4/qos-2-publish-*',
      '4.4/pubrel-*',
    ],
    ['A message is delivered with the lower of its QoS and that of the subscription.', '3.8.4/qos?-to-qos?-*'],
    ['The QoS bits 11 are reserved.', '3.3.1.2/*qos3*', 'v3/3.8.3/subscribe-options-03'],
    ['Messages of a topic and QoS keep their order.', '4.6/qos-*', 'v3/4.6/resent-*'],
  ]),
  ...about('The format of packets', [
    [
      'Remaining Length has one byte up to 127 and two from 128 on, as for 300.',
      'v3/2.2.3/length-127-128-*',
      'v5/1.5.5/length-127-128-*',
      'v3/2.2.3/length-300-*',
      'v5/1.5.5/length-300-*',
      'v3/1.5.2/string-length-*',
    ],
    [
      'It has 4 bytes at most.',
      'v3/2.2.3/length-16383-*',
      'v5/1.5.5/length-16383-*',
      'v3/2.2.3/length-2097151-*',
      'v5/1.5.5/length-2097151-*',
      'v3/2.2.3/*-length-of-*',
      'v5/1.5.5/*-length-of-*',
    ],
    [
      'Strings have 0 to 65,535 bytes of UTF-8.',
      '4.7.3/topic-of-65535-bytes',
      'v3/3.1.3.4/user-name-empty',
      'v5/3.1.3.5/user-name-empty',
      'v3/3.1.3.4/user-name-longest',
      'v5/3.1.3.5/user-name-longest',
      '3.1.3.1/other-65535-characters',
      'v3/1.5.3/topic-u-*',
      'v5/1.5.4/topic-u-*',
      'v3/1.5.3/*-surrogate-*',
      'v5/1.5.4/*-surrogate-*',
    ],
    ['Reserved types and flags are not used.', 'v3/2.2.1/*', 'v5/2.1.2/*', 'v3/2.2.2/*', 'v5/2.1.3/*'],
    ['In 3.1.1 acknowledgements have exactly two bytes behind the header.', 'v3/2.1/*'],
  ]),
];
