// The endpoint on Fastify with its JSON Schema validation (ajv). Refuses the whole request; keeps numbers in memory.
'use strict';
const { createHash, timingSafeEqual } = require('node:crypto');
const fastify = require('fastify');

const digest = (text) => createHash('sha256').update(text).digest();
const token = digest(process.env.BATCHPROOF_TOKEN);

const text = { type: 'string' };
const optional = (type) => ({ type: [type, 'null'] });
const body = {
  type: 'object',
  required: ['accountBalances'],
  properties: {
    accountBalances: {
      type: 'array',
      items: {
        type: 'object',
        required: ['accountExtId', 'balanceAt', 'communicationNumber', 'requester', 'value'],
        properties: {
          accountExtId: text,
          balanceAt: { type: 'string', format: 'date-time' },
          balanceType: optional('string'),
          businessUnit: optional('string'),
          communicationNumber: { type: 'string', minLength: 1, maxLength: 255 },
          equivalentValue: optional('number'),
          requester: { type: 'string', maxLength: 100 },
          value: { type: 'number' },
        },
      },
    },
  },
};
const result = {
  type: 'object',
  properties: {
    resultType: text,
    communicationNumber: text,
    accountExtId: text,
    businessUnit: text,
    errorCode: text,
    errorDescription: text,
    timeElapsedMs: { type: 'integer' },
  },
};
const answer = {
  type: 'object',
  properties: { results: { type: 'array', items: result }, timeElapsedMs: { type: 'integer' } },
};

const used = new Set();

function register({ communicationNumber, accountExtId, businessUnit }) {
  const began = performance.now();
  const identity = { communicationNumber, accountExtId, businessUnit: businessUnit ?? undefined };
  const fresh = !used.has(communicationNumber);
  used.add(communicationNumber);
  const timeElapsedMs = Math.floor(performance.now() - began);
  if (fresh) return { resultType: 'REQUEST_ACCEPTED', ...identity, timeElapsedMs };
  return {
    resultType: 'REQUEST_REJECTED',
    ...identity,
    errorCode: 'O005',
    errorDescription: 'CommunicationNumber already used in AMLYZE',
    timeElapsedMs,
  };
}

// By default, the validator makes "" of null and a scalar of an array of one; that would accept wrong types.
const app = fastify({
  bodyLimit: 64 * 1024 * 1024,
  ajv: { customOptions: { coerceTypes: false } },
});

app.addHook('onRequest', async (request, reply) => {
  const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (given === undefined || !timingSafeEqual(digest(given), token)) {
    return reply.code(401).header('www-authenticate', 'Bearer').send({ error: { code: 'unauthorized' } });
  }
});

app.setErrorHandler((problem, request, reply) => {
  if (problem.validation) {
    return reply
      .code(400)
      .send({ resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription: problem.message });
  }
  const status = problem.statusCode ?? 500;
  if (status === 500) console.error(problem);
  return reply.code(status).send({ timestamp: new Date(), status, error: problem.message, path: request.url });
});

app.post('/amlyze-ws-rest/batch-account-balances', { schema: { body, response: { 200: answer } } }, (request, reply) => {
  const began = performance.now();
  const results = request.body.accountBalances.map(register);
  reply.send({ results, timeElapsedMs: Math.floor(performance.now() - began) });
});

app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
