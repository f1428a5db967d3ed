/** What `fuzz --help` and `replay --help` print: everything about fuzzing on one page. */

export const fuzzHelp = `mqtt-conform fuzz: sends what no case thought of, and looks for what breaks

  npx mqtt-conform fuzz --max-time 10s                    the embedded reference broker: see what a run looks like
  npx mqtt-conform fuzz -t localhost:1883 --max-time 10m  your broker
  npx mqtt-conform fuzz --start 'mosquitto -p {port}'     a broker that is started, watched and started again
  npx mqtt-conform replay FILE -t localhost:1883          one finding again

It makes broken bytes, packets with one bent part, and whole sessions of several clients of both versions, keeps what led to a new
reaction and breeds from it. Judges: is the broker alive, does it answer as the standard says (each finding names the requirement), is
nothing lost, doubled or out of order. A finding is played again until it is sure, then made as small as it goes.

TARGET
  -t, --target URL          host:port or mqtt://host:port                           [env MQTT_CONFORM_TARGET]
      --start CMD           start the broker with this command, and again when it ends or hangs: the report has its exit code
                            and its last output. {port} is a free port, or that of --target
      --wait-for TIME       wait this long for the broker to serve its first client (with --start 30s)
      --user NAME, --password TEXT

FUZZ
      --max-time TIME       end after this time (1m, unless --runs is given)
      --runs N              end after so many cases
      --seed TEXT           makes the cases the same again
      --only KIND           bytes, packets or sessions
  -j, --jobs N              cases side by side (128)
      --timeout TIME        how long an answer may take (5s)
      --corpus DIR          scripts to play first; what leads to something new is added
      --mqtt VERSIONS       3.1.1, 5; what the broker serves of them
      --against URL         another broker that findings are held against (the embedded reference broker)
      --pid PID             the broker's process on this machine: does its memory rise, is it kept busy?
                            With --start it is known.

REPLAY
  FILE                      the JSON of a finding or a script, or hex: one line, or one for each connection (1: 10 0C …)
      --times N             how often (1)
      --minimise            look for the smallest script that shows the same

OUTPUT
  -r, --report KINDS        junit, json, ndjson, md: files in --out
      --out DIR             where findings and reports go (mqtt-conform-fuzz)
  -q, --quiet               the last line only
      --no-color            so does NO_COLOR

EXIT CODES
  0    no finding
  1    findings; each is a file in DIR/findings that replay takes
  2    usage: bad option, unreadable file
  3    no verdict: the target is unreachable, or was lost with no case at work
  70   a fault of mqtt-conform itself
  130  interrupted; reports are written all the same
`;
