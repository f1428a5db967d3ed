/** What `--help` prints: everything on one page. */

export const help = `mqtt-conform: does your MQTT broker follow MQTT 3.1.1 and MQTT 5.0?

  npx mqtt-conform                                    the embedded reference broker: see what a run looks like
  npx mqtt-conform -t localhost:1883                  every case that applies
  npx mqtt-conform --start 'mosquitto -p {port}'      the same, and the broker is started and ended
  npx mqtt-conform -t localhost:1883 3.3 v3/3.8.1-1   only these sections, requirements or cases

COMMANDS
  run [SELECTOR…]           runs the cases (the default)
  list [SELECTOR…]          prints the cases; --coverage: every requirement with its cases, or why it has none
  explain ID                a requirement, a section or a case in our words, with a link to the standard
  probe                     what the broker can do, as every run finds out first
  fuzz                      sends what no case thought of, and looks for what breaks (fuzz --help)
  replay FILE               plays a finding of the fuzzer, a script or bytes in hex again (fuzz --help)
  baseline write|add|prune|check   findings that are known and accepted (baseline --help)
  report FILE…              renders a recorded run (NDJSON or JSON) again; several side by side with -r md
  broker                    starts the reference broker, on request with a fault (broker --help)

TARGET
  -t, --target URL          host:port or mqtt://host:port                           [env MQTT_CONFORM_TARGET]
      --start CMD           start the broker with this command; {port} is a free port, or that of --target
      --wait-for TIME       wait this long for the broker to serve its first client (with --start 30s)
      --user NAME           user name of every connection
      --password TEXT       password of every connection
      --auth-secret TEXT    secret of the authentication method HMAC-SHA-256, if the broker has it (5.0)
      --denied-topic TOPIC  a topic that the broker lets nobody publish or subscribe to
      --prefix TEXT         first level of every topic (mqtt-conform)

SELECT
  SELECTOR                  3.3  a section · v3/3.3.1-4 or MQTT-3.3.1-4  a requirement · v3/3.8/SLUG  a case
                            'v3/3.8/*'  a glob · tag:qos2  a tag · @FILE  selectors, one a line
                            Without any, all but tag:slow (cases that wait for minutes).
  -x, --exclude SELECTOR    leave these out; can be repeated
      --mqtt VERSIONS       3.1.1, 5 (both; what the broker does not speak is not applicable)
      --level LEVELS        must, should, may
      --baseline FILE       known findings (mqtt-conform.baseline.yaml, if there is one); --no-baseline for none

RUN
  -j, --jobs N              cases side by side (96)
      --timeout TIME        how long an answer may take (5s)
      --tolerance TIME      how late the broker may act where the standard names a time (6s)
      --retries N           repeat a failed case; if the attempts differ it is flaky, and fails (0)
      --bail[=N]            end after N failures (1)
      --max-time TIME       end after this time
      --seed TEXT           makes client ids and topics the same in every run
      --noise[=N]           N fuzz cases a second on other connections meanwhile (100): verdicts stay the same

OUTPUT
  -r, --report KINDS        junit, json, ndjson, md: files in --out
      --out DIR             where reports go (mqtt-conform-report)
  -v, -vv                   a line for each case; -vv or --trace all: every packet of every case
  -q, --quiet               the last line only
      --no-color            so does NO_COLOR
  -h, --help · --version

Times are written 500ms, 30s, 2m.

EXIT CODES
  0    conformant: nothing that gates failed, and at least one gating case ran
  1    not conformant: an unexpected fail, crash or flaky verdict, or a stale baseline entry
  2    usage: bad option, unknown selector, empty selection, unreadable file
  3    no verdict: the target is unreachable or was lost, or a MUST case could not run
  70   a fault of mqtt-conform itself
  130  interrupted; reports are written all the same

EXAMPLES
  npx mqtt-conform -t localhost:1883 --wait-for 30s -r junit          in a pipeline
  npx mqtt-conform -t localhost:1883 -x 3.1.2.10 --level must        all that a broker must do, but Keep Alive
  npx mqtt-conform -t localhost:1883 v3/4.3.3/SLUG -vv               one case with all its packets
  npx mqtt-conform baseline write -t localhost:1883                  accept what fails today
  npx mqtt-conform broker --port 1883 --break v3/3.1.2-24            a broker that ignores Keep Alive
`;
