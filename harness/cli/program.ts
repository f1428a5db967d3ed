/** The command line: arguments to calls, every error to one line and an exit code. */

import { Command, CommanderError, Option } from 'commander';
import { acceptable } from '../baseline.ts';
import { UsageError } from '../errors.ts';
import type { ExitCode } from '../events.ts';
import { toolVersion } from '../version.ts';
import type { AddArguments, BaselineFileArguments } from './baseline-command.ts';
import type { BrokerArguments } from './broker-command.ts';
import type { FuzzArguments } from './fuzz-command.ts';
import { fuzzHelp } from './fuzz-help.ts';
import { help } from './help.ts';
import type { Io } from './io.ts';
import type { ListArguments } from './list.ts';
import type { ReplayArguments } from './replay-command.ts';
import type { ReportArguments } from './report-command.ts';
import type { RunArguments } from './run-command.ts';
import {
  collect,
  kindWords,
  levelWords,
  parseCount,
  parseDuration,
  parseList,
  reportKinds,
  versionWords,
} from './values.ts';

/** Runs the command line and resolves with the exit code of the process. Never rejects. */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = build(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return explainError(error, io);
  }
}

function explainError(error: unknown, io: Io): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // A command without its sub-command has printed its help already.
    if (error.code !== 'commander.help') complain(error.message.replace(/^error: /, ''), io);
    return 2;
  }
  if (error instanceof UsageError) {
    complain(error.message, io);
    return 2;
  }
  io.stderr.write(
    `a fault of mqtt-conform: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 70;
}

function complain(message: string, io: Io): void {
  io.stderr.write(`mqtt-conform: ${message.split('\n').join(' ')}\n`);
}

type Done = (code: ExitCode) => void;

/** Commands load what they need when they are called, so that help and lists are there at once. */
function build(io: Io, done: Done): Command {
  const program = new Command('mqtt-conform')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // The error comes as an exception, too, and is printed there.
      outputError: () => {},
    })
    .version(toolVersion, '--version');
  program.helpInformation = () => help;

  const run = runOptions(program.command('run', { isDefault: true }).argument('[selectors...]')).action(
    async (selectors: string[], given: RunArguments) => {
      const command = program.commands.find((each) => selectors.includes(each.name()));
      if (command) throw new UsageError(`'${command.name()}' is a command: write it before all options`);
      const { runCommand } = await import('./run-command.ts');
      done(await runCommand(selectors, given, io));
    },
  );
  run.helpInformation = () => help;

  selectOptions(program.command('list').description('prints the cases, or the coverage of the requirements'))
    .argument('[selectors...]', 'which cases')
    .option('--coverage', 'every requirement with its cases, or the reason why it has none')
    .addOption(
      new Option('-r, --report <kind>', 'json prints data').argParser(
        parseList('--report', new Map([['json', 'json']])),
      ),
    )
    .action(async (selectors: string[], given: ListArguments) => {
      const { listCommand } = await import('./list.ts');
      done(await listCommand(selectors, given, io));
    });

  program
    .command('explain')
    .description('a requirement, a section or a case in our words, with a link to the standard')
    .argument('<id>', 'such as v3/3.1.2-24, MQTT-3.1.2-24, 3.1.2.10, or the id of a case')
    .action(async (id: string) => {
      const { explainCommand } = await import('./explain-command.ts');
      done(await explainCommand(id, io));
    });

  targetOptions(program.command('probe').description('prints what the broker can do'))
    .option('--timeout <time>', 'how long an answer may take', parseDuration('--timeout'))
    .action(async (given: RunArguments) => {
      const { probeCommand } = await import('./probe-command.ts');
      done(await probeCommand(given, io));
    });

  screenOptions(program.command('report').description('renders a recorded run again, or several side by side'))
    .argument('<files...>', 'events.ndjson or report.json of a run; several with -r md')
    .option('--name <names>', 'how the brokers are called, one for each file', collect)
    .action(async (files: string[], given: ReportArguments) => {
      const { reportCommand } = await import('./report-command.ts');
      done(await reportCommand(files, given, io));
    });

  fuzzCommands(program, io, done);

  program
    .command('broker')
    .description('starts the reference broker; it serves until it is interrupted')
    .option('--port <port>', 'TCP port; 0 takes a free one', parseCount('--port', 0, 65_535), 1883)
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option(
      '--break <gate>',
      'break this requirement on purpose (v3/3.1.2-24, v3/3.1.2-24#late); can be repeated',
      collect,
    )
    .option('--choice <name=value>', 'decide what the standard leaves open; can be repeated', collect)
    .option('--limit <name=value>', 'serve less than it could (maximumQoS=1); can be repeated', collect)
    .option('--user <name>', 'let in clients with this user name only')
    .option('--password <text>', 'and this password')
    .option('--deny <filter>', 'a Topic Filter that nobody may use; can be repeated', collect)
    .option('--auth-secret <text>', 'serve the authentication method HMAC-SHA-256 with this secret')
    .action(async (given: BrokerArguments) => {
      const { brokerCommand } = await import('./broker-command.ts');
      done(await brokerCommand(given, io));
    });

  baselineCommands(program.command('baseline').description('findings that are known and accepted'), io, done);
  return program;
}

function fuzzCommands(program: Command, io: Io, done: Done): void {
  const fuzz = targetOptions(
    program.command('fuzz').description('sends what no case thought of, and looks for what breaks'),
  )
    .option('--only <kind>', 'bytes, packets or sessions', parseList('--only', kindWords))
    .option('--runs <n>', 'end after so many cases', parseCount('--runs', 1))
    .option('--max-time <time>', 'end after this time (1m)', parseDuration('--max-time'))
    .option('-j, --jobs <n>', 'cases side by side (128)', parseCount('--jobs', 1, 1_000))
    .option('--timeout <time>', 'how long an answer may take (5s)', parseDuration('--timeout'))
    .option('--seed <text>', 'makes the cases the same again')
    .option('--corpus <dir>', 'scripts to play first; what leads to something new is added')
    .option('--mqtt <versions>', '3.1.1, 5', parseList('--mqtt', versionWords))
    .option('--against <url>', 'another broker that findings are held against')
    .option('--pid <pid>', 'the process of the broker: its memory is looked at', parseCount('--pid', 1))
    .option('-r, --report <kinds>', 'junit, json, ndjson, md', parseList('--report', reportKinds))
    .option('--out <dir>', 'where findings and reports go')
    .option('-q, --quiet', 'the last line only')
    .option('--no-color', 'no colours')
    .action(async (given: FuzzArguments) => {
      const { fuzzCommand } = await import('./fuzz-command.ts');
      done(await fuzzCommand(given, io));
    });
  fuzz.helpInformation = () => fuzzHelp;

  const replay = targetOptions(program.command('replay').description('plays a finding, a script or bytes in hex again'))
    .argument(
      '<file>',
      'JSON of a finding or a script; or hex, one line for each connection; - reads the standard input',
    )
    .option('--timeout <time>', 'how long an answer may take (5s)', parseDuration('--timeout'))
    .option('--times <n>', 'how often (1)', parseCount('--times', 1, 1_000_000))
    .option('--minimise', 'look for the smallest script that shows it')
    .option('--no-color', 'no colours')
    .action(async (file: string, given: ReplayArguments) => {
      const { replayCommand } = await import('./replay-command.ts');
      done(await replayCommand(file, given, io));
    });
  replay.helpInformation = () => fuzzHelp;
}

function baselineCommands(baseline: Command, io: Io, done: Done): void {
  const file = () => new Option('--baseline <file>', 'the file (mqtt-conform.baseline.yaml)');
  const from = () => new Option('--from <report>', 'a report of a run: events.ndjson or report.json');

  runOptions(baseline.command('write').description('lists what fails, from a run or from the report of one'))
    .argument('[selectors...]', 'which cases to run')
    .addOption(from())
    .action(async (selectors: string[], given: RunArguments & { from?: string }) => {
      const { writeCommand } = await import('./baseline-command.ts');
      done(await writeCommand(selectors, given, io));
    });

  baseline
    .command('add')
    .description('adds an entry')
    .argument('<case>', 'full id of a case')
    .addOption(file())
    .addOption(new Option('--expect <verdict>', 'how it may end').choices(acceptable).default('fail'))
    .option('--match <text>', 'a part of the reason that it must still give')
    .option('--reason <text>', 'why it is accepted')
    .option('--issue <url>', 'where it is tracked')
    .option('--expires <date>', 'the last day, such as 2030-01-31')
    .action(async (id: string, given: AddArguments) => {
      const { addCommand } = await import('./baseline-command.ts');
      done(await addCommand(id, given, io));
    });

  baseline
    .command('prune')
    .description('removes entries that have expired, whose case is gone, or that are fine now')
    .addOption(file())
    .addOption(from())
    .action(async (given: BaselineFileArguments & { from?: string }) => {
      const { pruneCommand } = await import('./baseline-command.ts');
      done(await pruneCommand(given, io));
    });

  baseline
    .command('check')
    .description('checks the file without a run')
    .addOption(file())
    .action(async (given: BaselineFileArguments) => {
      const { checkCommand } = await import('./baseline-command.ts');
      done(await checkCommand(given, io));
    });
}

function targetOptions(command: Command): Command {
  return command
    .option('-t, --target <url>', 'host:port or mqtt://host:port [env MQTT_CONFORM_TARGET]')
    .option('--start <command>', 'start the broker with this command; {port} is filled in')
    .option('--wait-for <time>', 'wait this long for the broker to serve', parseDuration('--wait-for'))
    .option('--user <name>', 'user name of every connection')
    .option('--password <text>', 'password of every connection')
    .option('--auth-secret <text>', 'secret of the authentication method HMAC-SHA-256')
    .option('--denied-topic <topic>', 'a topic that nobody may publish or subscribe to')
    .option('--prefix <text>', 'first level of every topic', parsePrefix);
}

function selectOptions(command: Command): Command {
  return command
    .option('-x, --exclude <selector>', 'leave these out; can be repeated', collect)
    .option('--mqtt <versions>', '3.1.1, 5', parseList('--mqtt', versionWords))
    .option('--level <levels>', 'must, should, may', parseList('--level', levelWords));
}

function screenOptions(command: Command): Command {
  return command
    .option('-r, --report <kinds>', 'junit, json, ndjson, md', parseList('--report', reportKinds))
    .option('--out <dir>', 'where reports go')
    .option('-v, --verbose', 'a line for each case; -vv: every packet', (_: unknown, level: number) => level + 1, 0)
    .option('-q, --quiet', 'the last line only')
    .option('--no-color', 'no colours');
}

function runOptions(command: Command): Command {
  return screenOptions(selectOptions(targetOptions(command)))
    .option('--baseline <file>', 'known findings')
    .option('--no-baseline', 'no known findings')
    .option('-j, --jobs <n>', 'cases side by side', parseCount('--jobs', 1, 10_000))
    .option('--timeout <time>', 'how long an answer may take', parseDuration('--timeout'))
    .option('--tolerance <time>', 'how late the broker may act', parseDuration('--tolerance'))
    .option('--retries <n>', 'repeat a failed case', parseCount('--retries', 0, 100))
    .option('--bail [n]', 'end after so many failures', parseCount('--bail', 1))
    .option('--max-time <time>', 'end after this time', parseDuration('--max-time'))
    .option('--seed <text>', 'makes names repeatable')
    .option('--noise [n]', 'so many fuzz cases a second on other connections', parseCount('--noise', 1, 10_000))
    .addOption(new Option('--trace <which>', 'packets of which cases').choices(['failures', 'all']));
}

/** A first level for topics: it must neither be a wildcard nor reserved. */
function parsePrefix(text: string): string {
  if (/^[^$+#\0/][^+#\0]{0,63}$/.test(text)) return text;
  throw new UsageError(`--prefix: '${text}' can't begin a topic: 1 to 64 characters, no + or #, no $ or / first`);
}
