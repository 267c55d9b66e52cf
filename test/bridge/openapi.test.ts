import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { readonly schema: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly securitySchemes: Record<string, { readonly type: string; readonly scheme: string }>;
  };
  readonly paths: Record<string, Record<string, Operation>>;
}

type Validate = ((value: unknown) => boolean) & { errors?: unknown };

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1, from the validator that comes with the HTTP framework. */
const Ajv2020 = createRequire(import.meta.url)('ajv/dist/2020.js') as new (
  options: object,
) => { addSchema(schema: object, key: string): void; compile(schema: object): Validate };

const PROBLEM = '#/components/schemas/Problem';

const ROUTES = [
  'DELETE /v1/admin/apps/{app}/devices/{device}/revocation',
  'DELETE /v1/apps/{app}/devices/{device}/connection',
  'DELETE /v1/groups/{group}',
  'GET /healthz',
  'GET /metrics',
  'GET /openapi.json',
  'GET /readyz',
  'GET /v1/admin/cluster',
  'GET /v1/admin/devices',
  'GET /v1/admin/groups',
  'GET /v1/admin/status',
  'GET /v1/apps/{app}/devices/{device}',
  'GET /v1/apps/{app}/users/{uid}',
  'GET /v1/groups',
  'GET /v1/groups/{group}',
  'POST /v1/admin/apps/{app}/devices/{device}/disconnect',
  'POST /v1/admin/drain',
  'POST /v1/admin/keys/rotate',
  'POST /v1/admin/reload',
  'POST /v1/admin/revocations',
  'POST /v1/apps/{app}/broadcast',
  'POST /v1/apps/{app}/devices/{device}/call',
  'POST /v1/apps/{app}/devices/{device}/kick',
  'POST /v1/apps/{app}/devices/{device}/push',
  'POST /v1/apps/{app}/presence',
  'POST /v1/apps/{app}/push',
  'POST /v1/apps/{app}/users/presence',
  'POST /v1/apps/{app}/users/{uid}/push',
  'POST /v1/groups/{group}/join',
  'POST /v1/groups/{group}/leave',
  'POST /v1/groups/{group}/push',
  'POST /v1/push/bulk',
  'PUT /v1/groups/{group}',
];

async function fetchDocument(t: ExecutionContext) {
  const registered: string[] = [];
  const uncalled = () => Promise.reject(new Error('nobody has the key'));
  const bridge = await startBridge(t, {
    adminKeys: [KEYS.admin],
    admin: { rotateKeys: uncalled, revoke: uncalled, liftRevocation: uncalled },
    plugins: [
      () => async (scope) => {
        scope.addHook('onReady', async () => {
          registered.push(scope.printRoutes({ commonPrefix: false }));
        });
      },
    ],
  });
  const { json } = await bridge.call('GET', '/openapi.json');
  return { ...bridge, document: json as Document, registered: registered.join('\n') };
}

function operationsOf(document: Document): [name: string, path: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      path,
      operation,
    ]),
  );
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : referencesIn(item),
  );
}

/** Compiles schemas of the document; what they refer to is found in its components. */
function createCompiler(document: Document): (schema: object) => Validate {
  const ajv = new Ajv2020({ strict: true, strictRequired: false });
  const rewrite = (schema: object) =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"openapi#/$defs/'));
  ajv.addSchema({ $id: 'openapi', $defs: rewrite(document.components.schemas) }, 'openapi');
  return (schema) => ajv.compile(rewrite(schema));
}

test('openapi: every route is described and every described path is registered', async (t) => {
  const { document, registered } = await fetchDocument(t);
  t.is(document.openapi, '3.1.0');
  t.deepEqual(
    operationsOf(document)
      .map(([name]) => name)
      .sort(),
    ROUTES,
  );
  // The router's own list, drawn as a tree: one leaf a path, methods in brackets.
  const leaves = registered.match(/\(([A-Z, ]+)\)/g) ?? [];
  const methods = leaves.flatMap((leaf) => leaf.slice(1, -1).split(', ')).filter((method) => method !== 'HEAD');
  t.is(methods.length, ROUTES.length, registered);
});

test('openapi: no described path answers "no such path" or "not with this method"', async (t) => {
  const { document, call } = await fetchDocument(t);
  for (const [name, path] of operationsOf(document)) {
    const [method = ''] = name.split(' ');
    const filled = path.replace('{app}', 'demo').replace('{device}', 'd').replace('{group}', 'g').replace('{uid}', 'u');
    const answer = await call(method, filled);
    t.false([405, 500].includes(answer.status), name);
    t.not(answer.json?.code, 'TRK_NOT_FOUND', name);
  }
});

test('openapi: every operation has what a generated client needs', async (t) => {
  const { document } = await fetchDocument(t);
  const operations = operationsOf(document);
  const ids = operations.map(([, , operation]) => operation.operationId);
  t.is(new Set(ids).size, operations.length);
  t.false(ids.includes(undefined));
  const tags = document.tags.map(({ name }) => name);
  for (const [name, path, operation] of operations) {
    t.truthy(operation.summary, name);
    t.true(
      operation.tags?.every((tag) => tags.includes(tag)),
      name,
    );
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    t.deepEqual(inPath.map((parameter) => `{${parameter.name}}`).sort(), (path.match(/\{\w+\}/g) ?? []).sort(), name);
    t.true(
      inPath.every((parameter) => parameter.required === true),
      name,
    );
    for (const requirement of operation.security ?? [{ missing: [] }]) {
      for (const key of Object.keys(requirement)) t.true(key in document.components.securitySchemes, `${name}: ${key}`);
    }
    for (const [status, response] of Object.entries(operation.responses)) {
      t.not(response.description, 'Default Response', `${name} ${status}`);
      t.truthy(response.description, `${name} ${status}`);
      if (Number(status) < 400) continue;
      t.deepEqual(response.content, { 'application/problem+json': { schema: { $ref: PROBLEM } } }, `${name} ${status}`);
    }
    const needsKey = (operation.security ?? []).length > 0;
    t.is('401' in operation.responses, needsKey, name);
    // Of a stream only a line can be too large, and that is its own answer.
    const hasWhole = operation.requestBody !== undefined && name !== 'POST /v1/push/bulk';
    t.is('413' in operation.responses, hasWhole, name);
    if (operation.security?.some((key) => 'businessKey' in key)) t.true('429' in operation.responses, name);
  }
});

test('openapi: every reference leads somewhere and every schema compiles', async (t) => {
  const { document } = await fetchDocument(t);
  const references = referencesIn(document);
  t.true(references.length > 0);
  for (const reference of references) {
    const name = /^#\/components\/schemas\/([^/]+)$/.exec(reference)?.[1] ?? '';
    t.true(name in document.components.schemas, reference);
  }
  const compile = createCompiler(document);
  for (const schema of Object.values(document.components.schemas)) t.notThrows(() => compile(schema));
  for (const [name, , operation] of operationsOf(document)) {
    const contents = [operation.requestBody, ...Object.values(operation.responses)];
    for (const { schema } of contents.flatMap((each) => Object.values(each?.content ?? {}))) {
      t.notThrows(() => compile(schema), name);
    }
  }
});

test('openapi: real requests and answers fit the description, wrong ones do not', async (t) => {
  const { document, call, routing } = await fetchDocument(t);
  const compile = createCompiler(document);
  const answerSchema = (path: string, method: string, status: number) => {
    const content = document.paths[path]?.[method]?.responses[status]?.content ?? {};
    return compile(Object.values(content)[0]?.schema ?? {});
  };
  routing.outcomes.set('a', { result: 'dropped', reason: 'slow' });
  routing.online.set('a', { online: true, connectionId: 'c', sinceMs: 1 });
  routing.users.set('u', ['a']);
  const { im: key, demo } = KEYS;
  const devices = ['a', 'b'];
  const group = '/v1/groups/{group}';
  const app = '/v1/apps/{app}';
  const cases: [method: string, template: string, body?: unknown, key?: string][] = [
    ['put', group],
    ['put', group],
    ['get', group],
    ['post', `${group}/join`, { app: 'demo', devices }],
    ['post', `${group}/leave`, { app: 'demo', devices }],
    ['post', `${group}/push`, { payload: 'x' }],
    ['post', `${app}/devices/{device}/push`, { payload: 'x' }],
    ['post', `${app}/devices/{device}/push`, { payload: 1 }],
    ['post', `${app}/push`, { devices, payloadBase64: 'AAEC', metadata: { k: 'v' } }],
    ['get', `${app}/devices/{device}`],
    ['get', '/v1/groups'],
    ['post', `${app}/broadcast`, { payload: 'x', ttlMs: 5, priority: 'high', droppable: true }],
    ['post', `${app}/users/{uid}/push`, { payload: 'x' }],
    ['get', `${app}/users/{uid}`],
    ['post', `${app}/users/presence`, { users: ['u', 'nobody'] }],
    ['post', `${app}/devices/{device}/call`, { method: 'm', payload: 'x' }],
    ['post', `${app}/devices/{device}/call`, { method: 'm', deadlineMs: 60_001 }],
    ['post', `${app}/presence`, { devices }],
    ['post', `${app}/devices/{device}/kick`],
    ['delete', `${app}/devices/{device}/connection`, undefined, demo],
    ['delete', `${app}/devices/{device}/connection`],
    ['get', '/healthz'],
    ['get', '/readyz'],
    ['get', '/openapi.json'],
  ];
  for (const [method, template, body, ownKey = key] of cases) {
    const path = template
      .replace('{app}', 'demo')
      .replace('{device}', 'a')
      .replace('{group}', 'g')
      .replace('{uid}', 'u');
    const answer = await call(method.toUpperCase(), path, { key: ownKey, ...(body === undefined ? {} : { body }) });
    const matches = answerSchema(template, method, answer.status);
    t.true(matches(answer.json), `${method} ${template} ${answer.status}: ${JSON.stringify(matches.errors)}`);
  }
  const message = compile({ $ref: '#/components/schemas/Message' });
  t.true(message({ payload: 'x' }));
  for (const wrong of [{}, { payload: 'x', payloadBase64: '' }, { payload: 'x', more: 1 }, { payload: 1 }]) {
    t.false(message(wrong), JSON.stringify(wrong));
  }
});
