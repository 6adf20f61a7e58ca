import { tmpdir } from 'node:os';
import { text } from '../lib/prompt.mjs';
import { check, equal, refused } from '../lib/report.mjs';

export async function workspaceMismatch({ sdk, connect, open, workspace }) {
  const session = await open();
  const client = connect();
  const elsewhere = tmpdir();
  const error = await refused('a session of another workspace is refused', () => client.createOrAttachSession({ workspaceCwd: elsewhere }), 400, 'workspace_mismatch');
  equal('with both places', [error?.body?.boundWorkspace, error?.body?.requestedWorkspace], [workspace, elsewhere]);
  await refused('so is loading one', () => client.loadSession(session.sessionId, { workspaceCwd: elsewhere }), 400, 'workspace_mismatch');
  await refused('and resuming one', () => client.resumeSession(session.sessionId, { workspaceCwd: elsewhere }), 400, 'workspace_mismatch');
  await refused('and a place that is no absolute path', () => client.createOrAttachSession({ workspaceCwd: 'here' }), 400);
  if (sdk.DaemonSessionIdProtocolError) {
    // An older client does not send them.
    await refused('a worktree of its own is refused', () => client.createOrAttachSession({ worktree: { slug: 'a' } }), 400, 'unsupported_field');
    await refused('so is a branch', () => client.createOrAttachSession({ branch: { name: 'a' } }), 400, 'unsupported_field');
  }

  equal('no place is this workspace', (await client.createOrAttachSession({})).sessionId, session.sessionId);
}

export async function wrongToken({ connect, open, workspace }) {
  const session = await open();
  for (const [whose, token] of [
    ['a wrong token', 'wrong'],
    ['no token', ''],
  ]) {
    const client = connect({ token });
    const calls = {
      capabilities: () => client.capabilities(),
      create: () => client.createOrAttachSession({ workspaceCwd: workspace }),
      list: () => client.listWorkspaceSessions(workspace),
      prompt: () => client.prompt(session.sessionId, text('hello')),
      events: () => client.subscribeEvents(session.sessionId, { lastEventId: 0 }).next(),
      vote: () => client.respondToPermission('x', { outcome: { outcome: 'cancelled' } }),
      cancel: () => client.cancel(session.sessionId),
      model: () => client.setSessionModel(session.sessionId, 'other'),
      load: () => client.loadSession(session.sessionId, { workspaceCwd: workspace }),
      close: () => client.closeSession(session.sessionId),
      files: () => client.readWorkspaceFile('hello.txt'),
    };
    for (const [what, call] of Object.entries(calls)) {
      const error = await refused(`${whose} does not get to ${what}`, call, 401);
      check('and is not repeated', !JSON.stringify(error?.body ?? '').includes('wrong'), error?.body);
    }
  }

  equal('the session is as it was', (await session.prompt(text('hello'))).stopReason, 'end_turn');
}

export async function unknownSession({ connect, workspace }) {
  const client = connect();
  const id = '0b5f7a52-0000-4d6e-8f1a-2b3c4d5e6f70';
  const calls = {
    prompt: () => client.prompt(id, text('hello')),
    events: () => client.subscribeEvents(id).next(),
    cancel: () => client.cancel(id),
    model: () => client.setSessionModel(id, 'other'),
    heartbeat: () => client.heartbeat(id),
    context: () => client.sessionContext(id),
    status: () => client.sessionStatus(id),
    resume: () => client.resumeSession(id, { workspaceCwd: workspace }),
  };
  for (const [what, call] of Object.entries(calls)) {
    const error = await refused(`a session that is none has no ${what}`, call, 404, 'session_not_found');
    equal('and the refusal says which', error?.body?.sessionId, id);
  }

  await client.closeSession(id);
  check('closing it is fine', true);
}

export async function strangeClient({ connect, open }) {
  const session = await open();
  const client = connect();
  await refused('a client that nobody registered is refused', () => client.promptNonBlocking(session.sessionId, text('hello'), undefined, 'client_nobody'), 400, 'invalid_client_id');
  await refused('so is one with a name that is none', () => client.promptNonBlocking(session.sessionId, text('hello'), undefined, 'a b'), 400, 'invalid_client_id');
  equal('one without a name is not', (await client.prompt(session.sessionId, text('hello'))).stopReason, 'end_turn');

  // Whoever was told that its name is none any more attaches again and repeats; here a name stays good, and nothing is repeated.
  await session.client.detachSession(session.sessionId, session.clientId);
  equal('one that left may come back', (await session.prompt(text('hello'))).stopReason, 'end_turn');
}
