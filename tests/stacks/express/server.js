// The endpoint on Express and zod. Rejects item by item; knows only registered accounts.
'use strict';
const { createHash, timingSafeEqual } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const express = require('express');
const { z } = require('zod');

const digest = (text) => createHash('sha256').update(text).digest();
const token = digest(process.env.BATCHPROOF_TOKEN);

const instant = z.iso.datetime({ offset: true });
const item = z.object({
  communicationNumber: z.string().min(1).max(255),
  requester: z.string().max(100),
  accountExtId: z.string(),
  balanceAt: instant,
  value: z.number(),
  equivalentValue: z.number().nullish(),
  balanceType: z.string().nullish(),
  businessUnit: z.string().nullish(),
});
const batch = z.object({ accountBalances: z.array(z.unknown()) });

const registered = JSON.parse(readFileSync(join(__dirname, '../registered.json'), 'utf8'));
const known = Object.fromEntries(Object.entries(registered).map(([name, values]) => [name, new Set(values)]));
const used = new Set();

function unknownReference({ accountExtId, businessUnit, balanceType }) {
  if (!known.accountExtId.has(accountExtId)) return { errorCode: 'A001', errorDescription: 'Account does not exist' };
  if (businessUnit != null && !known.businessUnit.has(businessUnit)) {
    return { errorCode: 'A002', errorDescription: 'Tenant business unit does not exist' };
  }
  if (balanceType != null && !known.balanceType.has(balanceType)) {
    return { errorCode: 'A003', errorDescription: 'Balance type does not exist' };
  }
  return undefined;
}

// Why an item is rejected; undefined if it is accepted. Only an accepted item uses its number up.
function verdict(raw) {
  const parsed = item.safeParse(raw);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    return { errorCode: 'O001', errorDescription: `${path.join('.')}: ${message}` };
  }
  const reason = unknownReference(parsed.data);
  if (reason) return reason;
  if (used.has(parsed.data.communicationNumber)) {
    return { errorCode: 'O005', errorDescription: 'CommunicationNumber already used in AMLYZE' };
  }
  used.add(parsed.data.communicationNumber);
  return undefined;
}

// The identity of an item, as far as the schema of a result can carry it.
function echo(raw) {
  const result = {};
  for (const name of ['communicationNumber', 'accountExtId', 'businessUnit']) {
    const value = raw?.[name];
    if (typeof value === 'string' && [...value].length <= 255) result[name] = value;
  }
  return result;
}

const app = express();
app.disable('x-powered-by');
app.use((request, response, next) => {
  const [, given] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? [];
  if (given !== undefined && timingSafeEqual(digest(given), token)) return next();
  response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: { code: 'unauthorized' } });
});
// The default limit, 100 kB, is about 400 items.
app.use(express.json({ limit: '64mb' }));

app.post('/amlyze-ws-rest/batch-account-balances', (request, response) => {
  const began = performance.now();
  const parsed = batch.safeParse(request.body);
  if (!parsed.success) {
    const errorDescription = parsed.error.issues[0].message;
    return response.status(400).json({ resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription });
  }
  const results = parsed.data.accountBalances.map((raw) => {
    const since = performance.now();
    const reason = verdict(raw);
    const resultType = reason ? 'REQUEST_REJECTED' : 'REQUEST_ACCEPTED';
    return { resultType, ...echo(raw), ...reason, timeElapsedMs: Math.floor(performance.now() - since) };
  });
  response.json({ results, timeElapsedMs: Math.floor(performance.now() - began) });
});

app.use((request, response) => {
  response.status(404).json({ timestamp: new Date(), status: 404, error: 'Not Found', path: request.path });
});
app.use((problem, request, response, next) => {
  const status = problem.status ?? 500;
  if (status === 500) console.error(problem);
  response.status(status).json({ timestamp: new Date(), status, error: problem.type ?? 'error', path: request.path });
});

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
// Longer than a gateway keeps an idle connection; the default is 5 s.
server.keepAliveTimeout = 75_000;
