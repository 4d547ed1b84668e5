// The endpoint on Hono and its zod validator, served by @hono/node-server. Refuses the whole request.
'use strict';
const { serve } = require('@hono/node-server');
const { zValidator } = require('@hono/zod-validator');
const { Hono } = require('hono');
const { bearerAuth } = require('hono/bearer-auth');
const { HTTPException } = require('hono/http-exception');
const { z } = require('zod');

const batch = z.object({
  accountBalances: z.array(
    z.object({
      communicationNumber: z.string().min(1).max(255),
      requester: z.string().max(100),
      accountExtId: z.string(),
      balanceAt: z.iso.datetime({ offset: true }),
      value: z.number(),
      equivalentValue: z.number().nullish(),
      balanceType: z.string().nullish(),
      businessUnit: z.string().nullish(),
    }),
  ),
});

const refusal = (errorDescription) => ({ resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription });
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

const app = new Hono();
app.use(bearerAuth({ token: process.env.BATCHPROOF_TOKEN }));
app.post(
  '/amlyze-ws-rest/batch-account-balances',
  zValidator('json', batch, (parsed, context) => {
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues;
      return context.json(refusal(`${path.join('.')}: ${message}`), 400);
    }
  }),
  (context) => {
    const began = performance.now();
    const results = context.req.valid('json').accountBalances.map(register);
    return context.json({ results, timeElapsedMs: Math.floor(performance.now() - began) });
  },
);
app.onError((problem, context) => {
  // The framework answers 400 for a body that is not JSON, and 400 or 401 for the credentials.
  if (problem instanceof HTTPException) return problem.getResponse();
  console.error(problem);
  return context.json({ status: 500, error: 'Internal Server Error' }, 500);
});

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
// Longer than a gateway keeps an idle connection; the default is 5 s.
server.keepAliveTimeout = 75_000;
