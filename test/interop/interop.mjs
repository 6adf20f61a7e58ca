// node interop.mjs SDK SCENARIO, with BASE_URL, TOKEN and WORKSPACE in the environment; README.md has the rest.
import { realpathSync } from 'node:fs';
import process from 'node:process';
import { check, finish } from './lib/report.mjs';
import * as events from './scenarios/events.mjs';
import * as permissions from './scenarios/permissions.mjs';
import * as prompts from './scenarios/prompts.mjs';
import * as reads from './scenarios/reads.mjs';
import * as refusals from './scenarios/refusals.mjs';
import * as restarts from './scenarios/restarts.mjs';
import * as sessions from './scenarios/sessions.mjs';

const scenarios = { ...sessions, ...prompts, ...events, ...restarts, ...permissions, ...reads, ...refusals };

const [version, name] = process.argv.slice(2);
if (version === '--list') {
  process.stdout.write(Object.keys(scenarios).join('\n') + '\n');
  process.exit(0);
}

const scenario = scenarios[name];
if (scenario === undefined) {
  process.stderr.write(`no such scenario: ${name}\n`);
  process.exit(2);
}

const sdk = await import(`${version}/daemon`);
const workspace = realpathSync(process.env.WORKSPACE);
const daemon = { baseUrl: process.env.BASE_URL, token: process.env.TOKEN };

/** A client of the daemon, as it is now or as the options say. */
const connect = (options = {}) => new sdk.DaemonClient({ ...daemon, ...options });

const stage = {
  sdk,
  workspace,
  daemon,
  connect,
  /** Creates or attaches, as another client each time. */
  open: (request = {}, client = connect()) => sdk.DaemonSessionClient.createOrAttach(client, { workspaceCwd: workspace, ...request }),
  load: (id, request = {}, client = connect()) => sdk.DaemonSessionClient.load(client, id, { workspaceCwd: workspace, ...request }),
  resume: (id, client = connect()) => sdk.DaemonSessionClient.resume(client, id, { workspaceCwd: workspace }),
};

try {
  await scenario(stage);
} catch (error) {
  check(`${name} runs to its end`, false, { error: String(error), status: error?.status, body: error?.body, stack: error?.stack });
}

// Streams may be open still: the daemon sees their ends as it sees those of a client that crashed.
const code = finish(name) ? 0 : 1;
process.stdout.write('', () => process.exit(code));
