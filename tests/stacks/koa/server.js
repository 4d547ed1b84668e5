// The endpoint on Koa with koa-bodyparser and ajv. Refuses the whole request; keeps numbers in memory.
'use strict';
const { createHash, timingSafeEqual } = require('node:crypto');
const Ajv = require('ajv').default;
const addFormats = require('ajv-formats').default;
const Koa = require('koa');
const bodyParser = require('koa-bodyparser');
const Router = require('@koa/router');

const digest = (text) => createHash('sha256').update(text).digest();
const token = digest(process.env.BATCHPROOF_TOKEN);

const ajv = addFormats(new Ajv({ allowUnionTypes: true }));
const validate = ajv.compile({
  type: 'object',
  required: ['accountBalances'],
  properties: {
    accountBalances: {
      type: 'array',
      items: {
        type: 'object',
        required: ['accountExtId', 'balanceAt', 'communicationNumber', 'requester', 'value'],
        properties: {
          accountExtId: { type: 'string' },
          balanceAt: { type: 'string', format: 'date-time' },
          balanceType: { type: ['string', 'null'] },
          businessUnit: { type: ['string', 'null'] },
          communicationNumber: { type: 'string', minLength: 1, maxLength: 255 },
          equivalentValue: { type: ['number', 'null'] },
          requester: { type: 'string', maxLength: 100 },
          value: { type: 'number' },
        },
      },
    },
  },
});

const used = new Set();

function register({ communicationNumber, accountExtId, businessUnit }) {
  const identity = { communicationNumber, accountExtId, businessUnit: businessUnit ?? undefined };
  if (used.has(communicationNumber)) {
    const errorDescription = 'CommunicationNumber already used in AMLYZE';
    return { resultType: 'REQUEST_REJECTED', ...identity, errorCode: 'O005', errorDescription, timeElapsedMs: 0 };
  }
  used.add(communicationNumber);
  return { resultType: 'REQUEST_ACCEPTED', ...identity, timeElapsedMs: 0 };
}

async function authenticate(context, next) {
  const [, given] = /^Bearer +(\S+) *$/i.exec(context.get('Authorization')) ?? [];
  if (given !== undefined && timingSafeEqual(digest(given), token)) return next();
  context.status = 401;
  context.set('WWW-Authenticate', 'Bearer');
  context.body = { error: { code: 'unauthorized' } };
}

const router = new Router();
router.post('/amlyze-ws-rest/batch-account-balances', (context) => {
  const began = performance.now();
  if (!validate(context.request.body)) {
    const [{ instancePath, message }] = validate.errors;
    context.status = 400;
    context.body = { resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription: `${instancePath} ${message}` };
    return;
  }
  const results = context.request.body.accountBalances.map(register);
  context.body = { results, timeElapsedMs: Math.floor(performance.now() - began) };
});

const app = new Koa();
// The framework alone answers with plain text.
app.use(async (context, next) => {
  try {
    await next();
  } catch (problem) {
    const status = problem.status ?? 500;
    if (status === 500) console.error(problem);
    context.status = status;
    context.body = { timestamp: new Date(), status, error: problem.message, path: context.path };
  }
});
app.use(authenticate);
// The default limit, 1 MB, is about 4,000 items.
app.use(bodyParser({ enableTypes: ['json'], jsonLimit: '64mb' }));
app.use(router.routes()).use(router.allowedMethods());

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
// Longer than a gateway keeps an idle connection; the default is 5 s.
server.keepAliveTimeout = 75_000;
