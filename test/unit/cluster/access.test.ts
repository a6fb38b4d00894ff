import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import { missingRights, nameOf, rightsFor, rightsProblem, whoAmI } from '../../../src/cluster/access.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, status, type Server } from './server.ts'

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

/** Allows what `allow` says of `verb resource/subresource`. */
function answer(allow: (right: string) => boolean): void {
  server.answer = ({ body }) => {
    const { verb, resource, subresource } = (JSON.parse(body) as Review).spec.resourceAttributes
    const right = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`
    return { status: 201, body: { status: { allowed: allow(right) } } }
  }
}

describe('the rights', () => {
  const missing = (kind: 'pod' | 'deployment' = 'pod'): ReturnType<typeof missingRights> =>
    missingRights(server.connection, 'shop', rightsFor(kind, 'pod'))

  it.each([
    ['pod', []],
    ['deployment', [': list pods/', 'apps: get deployments/']],
  ] as const)(
    'of a %s are asked for each in its namespace, by POST of a SelfSubjectAccessReview',
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

  it('that are missing are found', async () => {
    answer((right) => right === 'get pods')
    const found = (await missing()).map((right) => `${right.verb} ${nameOf(right)}`)
    expect(found).toEqual(['patch pods/ephemeralcontainers', 'get pods/exec', 'create pods/exec'])
  })

  it.each([{}, { status: null }, { status: {} }, { status: { allowed: 'no' } }, '[]', 'null', '<html>log in</html>'])(
    'are not called missing where the answer is none: %j',
    async (body) => {
      server.answer = () => ({ status: 201, body })
      await expect(missing()).rejects.toThrow(ConfigurationError)
      await expect(missing()).rejects.toThrow(/^kubeconfig: .*an API server/)
    },
  )

  it('of a server that does not answer are its error', async () => {
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(missing()).rejects.toThrow('etcd is away')
  })

  it('are exactly those that docs/rbac/developer.yaml grants', () => {
    const text = readFileSync(new URL('../../../docs/rbac/developer.yaml', import.meta.url), 'utf8')
    const documents = loadAll(text) as { kind: string; rules?: Record<string, string[]>[] }[]
    const granted = documents
      .filter(({ kind }) => kind === 'Role')
      .flatMap(({ rules = [] }) => rules)
      .flatMap(({ apiGroups = [], resources = [], verbs = [] }) =>
        apiGroups.flatMap((group) => resources.flatMap((name) => verbs.map((verb) => `${group}: ${verb} ${name}`))),
      )
    const used = rightsFor('deployment', 'pod').map((right) => `${right.group}: ${right.verb} ${nameOf(right)}`)
    expect(granted.sort()).toEqual(used.sort())
  })
})

describe('the problem', () => {
  const [, patch, getExec] = rightsFor('pod', 'pod')
  const file = 'https://github.com/octo-org/capture/blob/v1/docs/rbac/developer.yaml'

  it('names every right, the command that grants them and nothing else, and the file with all', () => {
    const message = rightsProblem({ input: 'kubeconfig' }, 'dev', 'shop', [patch!, getExec!], file)
    expect(message).toMatch(
      /^kubeconfig: its user "dev" lacks rights in the namespace "shop": patch pods\/ephemeralcontainers, get pods\/exec\. Nothing was created\./,
    )
    expect(message).toContain('{ apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"] }')
    expect(message).toContain('{ apiGroups: [""], resources: ["pods/exec"], verbs: ["get"] }')
    expect(message).not.toContain('"pods"')
    const lines = message.split('\n')
    expect(lines).toContain("kubectl -n shop apply -f - <<'EOF'")
    expect(lines.slice(-2)).toEqual(['EOF', `All that is needed, as a file: ${file}`])
  })

  it('names who it is about, and the way in', () => {
    expect(rightsProblem({ input: 'cluster' }, 'capture@shop.example', 'shop', [patch!], file)).toMatch(
      /^cluster: its user "capture@shop\.example" lacks rights/,
    )
  })

  it('says what to put in where nobody knows who we are', () => {
    const message = rightsProblem({ input: 'kubeconfig' }, undefined, 'shop', [patch!], file)
    expect(message).toMatch(/^kubeconfig: its user lacks rights/)
    expect(message).toContain('in the place of USER')
    expect(message).toContain('name: "USER"')
  })
})

describe('who we are', () => {
  it('is told by a SelfSubjectReview', async () => {
    server.answer = () => ({
      status: 201,
      body: { status: { userInfo: { username: 'dev', groups: ['system:authenticated'] } } },
    })
    await expect(whoAmI(server.connection)).resolves.toBe('dev')
    const [request] = server.requests
    expect(request).toMatchObject({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' })
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    })
  })

  it.each([
    ['does not know the question (before 1.28)', 404],
    ['does not let us ask', 403],
  ])('is unknown where the server %s', async (_what, code) => {
    server.answer = () => ({ status: code, body: status('NotFound', 'the server could not find the resource') })
    await expect(whoAmI(server.connection)).resolves.toBeUndefined()
  })

  it.each([
    ['a review', { status: 201, body: { status: { userInfo: { username: 'system:anonymous' } } } }],
    [
      'a refusal',
      { status: 403, body: status('Forbidden', 'forbidden: User "system:anonymous" cannot create resource') },
    ],
  ])('is nobody where %s says so, and nobody is given rights', async (_what, given) => {
    server.answer = () => given
    await expect(whoAmI(server.connection)).rejects.toThrow(/^kubeconfig: .*system:anonymous.* token/)
  })

  it.each(['null', '[]', '"x"', '<html>log in</html>', ''])(
    'is not known to a server that answers %j',
    async (body) => {
      server.answer = () => ({ status: 200, body })
      await expect(whoAmI(server.connection)).rejects.toThrow(ConfigurationError)
      await expect(whoAmI(server.connection)).rejects.toThrow(/^kubeconfig: .*an API server/)
    },
  )

  it('is nobody where the credentials are refused', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    await expect(whoAmI(server.connection)).rejects.toThrow(ConfigurationError)
  })
})
