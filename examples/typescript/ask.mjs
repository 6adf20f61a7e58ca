// Asks the daemon of a workspace, shows what it says, and allows nothing. Our daemon speaks the protocol of this client, which others wrote:
//   npm install @qwen-code/sdk
//   node ask.mjs http://127.0.0.1:4170 "Why does the test fail?"      (the token is in THOLE_SERVER_TOKEN)
import process from 'node:process';
import { DaemonClient, DaemonSessionClient, requireWorkspaceCwd } from '@qwen-code/sdk/daemon';

const [baseUrl, prompt] = process.argv.slice(2);
const client = new DaemonClient({ baseUrl, token: process.env.THOLE_SERVER_TOKEN });
const workspaceCwd = requireWorkspaceCwd(await client.capabilities());
const session = await DaemonSessionClient.createOrAttach(client, { workspaceCwd, sessionScope: 'thread' });

const { promptId, lastEventId } = await session.submitPrompt({ prompt: [{ type: 'text', text: prompt }] });
for await (const { type, data } of session.events({ lastEventId })) {
  if (type === 'session_update' && data.update.sessionUpdate === 'agent_message_chunk') {
    process.stdout.write(data.update.content.text);
  } else if (type === 'permission_request') {
    process.stderr.write(`no to: ${JSON.stringify(data.toolCall.title)}\n`);
    await session.respondToSessionPermission(data.requestId, { outcome: { outcome: 'selected', optionId: 'cancel' }, answers: {} });
  } else if ((type === 'turn_complete' || type === 'turn_error') && data.promptId === promptId) {
    process.stdout.write('\n', () => process.exit(type === 'turn_complete' ? 0 : 1));
  }
}
