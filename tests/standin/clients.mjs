// Copyright (c) 2026 The orchd authors
//
// Permission to use, copy, modify, and distribute this software for any
// purpose with or without fee is hereby granted, provided that the above
// copyright notice and this permission notice appear in all copies.  The
// software is provided "as is", without warranty of any kind; see LICENSE.
//
// Clients that others wrote for the real servers, against the stand-ins.
// clients.sh starts everything:
//
//	node clients.mjs FORGE-URL PLANE-URL PROJECT HEAD-OF-feature

import { createRequire } from 'module';

const require = createRequire(process.cwd() + '/');
const [, , forge, plane, project, head] = process.argv;
let n = 0, failed = 0;

// One step of a client: what it returns must be true.
async function step(name, f)
{
	let why = 'it says no';

	n++;
	try {
		if (await f()) {
			console.log('ok ' + n + ' - ' + name);
			return;
		}
	} catch (e) {
		why = e.message || JSON.stringify(e);
	}
	failed++;
	console.log('not ok ' + n + ' - ' + name + ': ' + why);
}

// The status with which a client's promise is refused.
async function refused(promise)
{
	try {
		const r = await promise;
		return (r.response ? r.response.status : r.status);
	} catch (e) {
		return (e.status || e.statusCode ||
		    (e.response && e.response.status));
	}
}

async function gitea()
{
	const { giteaApi } = require('gitea-js');
	const { repos, version } = giteaApi(forge, { token: 'tok' });
	const wish = { head: 'feature', base: 'main', title: 'T' };
	const at = ['acme', 'app'];

	await step('gitea-js: version', async () =>
	    (await version.getVersion()).data.version.length > 0);
	await step('gitea-js: repository', async () =>
	    (await repos.repoGet(...at)).data.full_name === 'acme/app');
	await step('gitea-js: a pull request is opened', async () =>
	    (await repos.repoCreatePullRequest(...at, wish)).data.head.sha ===
	    head);
	await step('gitea-js: a second one is refused', async () =>
	    await refused(repos.repoCreatePullRequest(...at, wish)) === 409);
	await step('gitea-js: it is listed', async () =>
	    (await repos.repoListPullRequests(...at, { state: 'open' }))
	    .data.length === 1);
	await step('gitea-js: it is found by its branches', async () =>
	    (await repos.repoGetPullRequestByBaseHead(...at, 'main', 'feature'))
	    .data.number === 1);
	await step('gitea-js: a comment', async () =>
	    (await repos.issueCreateComment(...at, 1, { body: 'x' }))
	    .data.body === 'x');
	await step('gitea-js: comments', async () =>
	    (await repos.issueGetComments(...at, 1)).data.length === 1);
	await step('gitea-js: a status', async () =>
	    (await repos.repoCreateStatus(...at, head,
	    { state: 'success', context: 'ci' })).data.status === 'success');
	await step('gitea-js: the statuses together', async () =>
	    (await repos.repoGetCombinedStatusByRef(...at, head))
	    .data.total_count === 1);
	await step('gitea-js: a stale head is refused', async () =>
	    await refused(repos.repoMergePullRequest(...at, 1,
	    { Do: 'merge', head_commit_id: '0'.repeat(40) })) === 409);
}

async function forgejo()
{
	const api = require('@llamaduck/forgejo-ts');
	const { createClient, createConfig } =
	    require('@llamaduck/forgejo-ts/client');
	const client = createClient(createConfig({ baseURL: forge + '/api/v1',
	    headers: { Authorization: 'token tok' } }));
	const path = { owner: 'acme', repo: 'app', index: 1 };
	const merge = { Do: 'fast-forward-only', head_commit_id: head };

	await step('forgejo-ts: pull requests', async () =>
	    (await api.repoListPullRequests({ client, path,
	    query: { state: 'open' } })).data.length === 1);
	await step('forgejo-ts: merged', async () =>
	    (await api.repoMergePullRequest({ client, path, body: merge }))
	    .status === 200);
	await step('forgejo-ts: not merged twice', async () =>
	    await refused(api.repoMergePullRequest({ client, path,
	    body: merge })) === 405);
	await step('forgejo-ts: it says so', async () =>
	    (await api.repoGetPullRequest({ client, path }))
	    .data.merge_commit_sha === head);
	await step('forgejo-ts: the branch is deleted', async () =>
	    (await api.repoDeleteBranch({ client,
	    path: { ...path, branch: 'feature' } })).status === 204);
}

async function tracker()
{
	const { PlaneClient } = require('@makeplane/plane-node-sdk');
	const p = new PlaneClient({ baseUrl: plane, apiKey: 'plane_api_key' });
	const at = ['team', project];
	const comment = { comment_html: '<p>c</p>', external_id: 'k',
	    external_source: 'orchd' };
	let item, states;

	await step('plane-node-sdk: who am I', async () =>
	    (await p.users.me()).display_name === 'bot');
	await step('plane-node-sdk: states', async () => {
		states = (await p.states.list(...at)).results;
		return (states.length === 5);
	});
	await step('plane-node-sdk: an item is made', async () => {
		item = await p.workItems.create(...at, { name: 'Hello' });
		return (item.sequence_id === 1);
	});
	await step('plane-node-sdk: it is found by its key', async () =>
	    (await p.workItems.retrieveByIdentifier('team', 'ORCH-1')).id ===
	    item.id);
	await step('plane-node-sdk: its state changes', async () =>
	    (await p.workItems.update(...at, item.id,
	    { state: states[3].id })).state === states[3].id);
	await step('plane-node-sdk: items', async () =>
	    (await p.workItems.list(...at)).results.length === 1);
	await step('plane-node-sdk: a comment', async () =>
	    (await p.workItems.comments.create(...at, item.id, comment))
	    .external_id === 'k');
	await step('plane-node-sdk: not a second time', async () =>
	    await refused(p.workItems.comments.create(...at, item.id,
	    comment)) === 409);
	await step('plane-node-sdk: comments', async () =>
	    (await p.workItems.comments.list(...at, item.id))
	    .results.length === 1);
}

await gitea();
await forgejo();
await tracker();
console.log('1..' + n);
process.exit(failed === 0 ? 0 : 1);
