import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import {
  listReplicaSets,
  missingRights,
  nodeRightProblem,
  resourceName,
  rightsFor,
  rightsProblem,
  whoAmI,
} from '../../../src/cluster/rights.ts'
import { ConfigurationError, renderProblem } from '../../../src/common/errors.ts'
import { startServer, status, type Server } from '../../support/api-server.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock()

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

interface Review {
  spec: {
    resourceAttributes: { namespace: string; verb: string; group: string; resource: string; subresource?: string }
  }
}

/** Allows each right for which `allow` returns true; a right is `verb resource/subresource`. */
function answer(allow: (right: string) => boolean): void {
  server.answer = ({ body }) => {
    const { verb, resource, subresource } = (JSON.parse(body) as Review).spec.resourceAttributes
    const right = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`
    return { status: 201, body: { status: { allowed: allow(right) } } }
  }
}

describe('the rights of a run', () => {
  const missing = (kind: 'pod' | 'deployment' = 'pod'): ReturnType<typeof missingRights> =>
    missingRights(server.connection, 'shop', rightsFor(kind, 'pod'))

  it.each([
    ['pod', []],
    ['deployment', [': list pods/', 'apps: get deployments/']],
  ] as const)(
    'for a %s are each checked with one SelfSubjectAccessReview in the namespace of the target',
    async (kind, more) => {
      answer(() => true)
      await expect(missing(kind)).resolves.toEqual([])
      const asked = server.requests.map(({ method, path, body }) => {
        expect({ method, path }).toEqual({
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        })
        expect(JSON.parse(body)).toMatchObject({
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
        })
        const { namespace, verb, group, resource, subresource } = (JSON.parse(body) as Review).spec.resourceAttributes
        expect(namespace).toBe('shop')
        return `${group}: ${verb} ${resource}/${subresource ?? ''}`
      })
      expect(asked.sort()).toEqual([
        ...[': create pods/exec', ': get pods/', ': get pods/exec', ...more.slice(0, 1)],
        ...[': patch pods/ephemeralcontainers', ...more.slice(1)],
      ])
    },
  )

  it('are returned when the API server denies them', async () => {
    answer((right) => right === 'get pods')
    const found = (await missing()).map((right) => `${right.verb} ${resourceName(right)}`)
    expect(found).toEqual(['patch pods/ephemeralcontainers', 'get pods/exec', 'create pods/exec'])
  })

  it.each([{}, { status: null }, { status: {} }, { status: { allowed: 'no' } }, '[]', 'null', '<html>log in</html>'])(
    'are not reported as missing when the answer has no decision: %j',
    async (body) => {
      server.answer = () => ({ status: 201, body })
      await expect(missing()).rejects.toThrow(ConfigurationError)
      await expect(missing()).rejects.toThrow(/^kubeconfig: .*an API server/)
    },
  )

  it('cannot be checked when the server fails, and the error has the server message', async () => {
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(missing()).rejects.toThrow('etcd is away')
  })

  it('are, with the optional right to list ReplicaSets, exactly those that docs/rbac/developer.yaml grants', () => {
    const text = readFileSync(new URL('../../../docs/rbac/developer.yaml', import.meta.url), 'utf8')
    const documents = loadAll(text) as { kind: string; rules?: Record<string, string[]>[] }[]
    const granted = documents
      .filter(({ kind }) => kind === 'Role')
      .flatMap(({ rules = [] }) => rules)
      .flatMap(({ apiGroups = [], resources = [], verbs = [] }) =>
        apiGroups.flatMap((group) => resources.flatMap((name) => verbs.map((verb) => `${group}: ${verb} ${name}`))),
      )
    const used = [...rightsFor('deployment', 'pod'), listReplicaSets].map(
      (right) => `${right.group}: ${right.verb} ${resourceName(right)}`,
    )
    expect(granted.sort()).toEqual(used.sort())
  })
})

describe('the problem of missing rights', () => {
  const [, patch, getExec] = rightsFor('pod', 'pod')
  const rbacFile = 'docs/rbac/developer.yaml'

  it('names every right, the file with all rights, and the command that grants only the missing rights', () => {
    const missing = [patch!, getExec!]
    const problem = rightsProblem({ input: 'kubeconfig' }, { identity: 'dev', namespace: 'shop', missing, rbacFile })
    expect(problem).toMatchObject({
      code: 'E_PERMISSION_MISSING',
      input: 'kubeconfig',
      problem: 'its user "dev" lacks permissions in the namespace "shop"',
      details: ['patch pods/ephemeralcontainers', 'get pods/exec'],
      fix: 'An admin can run:',
      docs: rbacFile,
    })
    expect(problem.command).toContain('{ apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"] }')
    expect(problem.command).toContain('{ apiGroups: [""], resources: ["pods/exec"], verbs: ["get"] }')
    expect(problem.command).not.toContain('"pods"')
  })

  it('is rendered with a command that a shell can run: its lines are not indented, and EOF is on a separate line', () => {
    const given = { identity: 'dev', namespace: 'shop', missing: [patch!], rbacFile }
    const error = new ConfigurationError(rightsProblem({ input: 'kubeconfig' }, given), { leftovers: [] })
    const lines = error.message.split('\n')
    expect(lines).toContain("kubectl -n shop apply -f - <<'EOF'")
    expect(lines.slice(-3)).toEqual(['EOF', `See ${rbacFile}.`, 'No resources were created.'])
  })

  it('names the input of the connection, and the identity', () => {
    const given = { identity: 'capture@shop.example', namespace: 'shop', missing: [patch!], rbacFile }
    expect(renderProblem(rightsProblem({ input: 'cluster' }, given))).toMatch(
      /^cluster: its user "capture@shop\.example" lacks permissions/,
    )
  })

  it('has a placeholder for the user name if the API server does not report it', () => {
    const given = { identity: undefined, namespace: 'shop', missing: [patch!], rbacFile }
    const problem = rightsProblem({ input: 'kubeconfig' }, given)
    expect(problem.problem).toMatch(/^its user lacks permissions/)
    expect(problem.fix).toContain('in place of USER')
    expect(problem.command).toContain('name: "USER"')
  })

  it('has a ClusterRole for the right to get nodes', () => {
    const given = { identity: 'dev', message: 'nodes is\nforbidden', rbacFile: 'docs/rbac/platform.yaml' }
    const problem = nodeRightProblem({ input: 'kubeconfig' }, given)
    expect(problem.problem).toBe('its user "dev" may not get nodes (nodes is forbidden)')
    expect(problem.command).toContain('kind: ClusterRole\n')
    expect(problem.command).toContain('resources: ["nodes"], verbs: ["get"]')
  })
})

describe('the identity', () => {
  it('is the user name in a SelfSubjectReview', async () => {
    server.answer = () => ({
      status: 201,
      body: { status: { userInfo: { username: 'dev', groups: ['system:authenticated'] } } },
    })
    await expect(whoAmI(server.connection)).resolves.toMatchObject({ user: 'dev' })
    const [request] = server.requests
    expect(request).toMatchObject({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' })
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    })
  })

  it.each([
    ['does not know SelfSubjectReview (before 1.28)', 404],
    ['does not allow the request', 403],
  ])('is undefined when the server %s', async (_what, code) => {
    server.answer = () => ({ status: code, body: status('NotFound', 'the server could not find the resource') })
    await expect(whoAmI(server.connection)).resolves.toEqual({ user: undefined, clockAheadMs: undefined })
  })

  it.each([
    ['a review', { status: 201, body: { status: { userInfo: { username: 'system:anonymous' } } } }],
    [
      'a refusal',
      { status: 403, body: status('Forbidden', 'forbidden: User "system:anonymous" cannot create resource') },
    ],
  ])('is an error when %s reports system:anonymous', async (_what, given) => {
    server.answer = () => given
    await expect(whoAmI(server.connection)).rejects.toThrow(
      /^kubeconfig: the API server .* rejects the credentials \(.*system:anonymous.*\)\. The token/,
    )
  })

  it.each(['null', '[]', '"x"', '<html>log in</html>', ''])('is an error when the server answers %j', async (body) => {
    server.answer = () => ({ status: 200, body })
    await expect(whoAmI(server.connection)).rejects.toThrow(ConfigurationError)
    await expect(whoAmI(server.connection)).rejects.toThrow(/^kubeconfig: .*an API server/)
  })

  it('is an error when the credentials are rejected', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    await expect(whoAmI(server.connection)).rejects.toThrow(ConfigurationError)
  })
})
