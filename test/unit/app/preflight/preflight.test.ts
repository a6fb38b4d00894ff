import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import type { Cluster } from '../../../../src/app/cluster-access.ts'
import { documentUrl } from '../../../../src/common/document-url.ts'
import { preflight, type Prepared } from '../../../../src/app/preflight/preflight.ts'
import { readRequest } from '../../../../src/inputs/request.ts'
import { failureMarkdown } from '../../../../src/report/failure.ts'
import { preflightMarkdown } from '../../../../src/report/preflight.ts'
import { readJob } from '../../../../src/runner/job.ts'
import type { Log } from '../../../../src/runner/log.ts'
import { captureIdPrefix } from '../../../../src/capture/plan.ts'
import { recorderContainer } from '../../../../src/capture/recorder-container.ts'
import { plan } from '../../../support/target.ts'
import { startServer, status, type Answer, type Server } from '../../../support/api-server.ts'
import { rejection } from '../../../support/refusal.ts'
import { useFastClock } from '../../../support/fast-clock.ts'

useFastClock()

const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-1' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app' }] },
  status: { phase: 'Running' },
}
const podPath = '/api/v1/namespaces/shop/pods/web-1'
const whoPath = 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews'
const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

let server: Server
/** answers that replace the default answers of the API server */
let answers: Record<string, Answer>
let missing: string[]
let temp: string
beforeEach(async () => {
  temp = mkdtempSync(join(tmpdir(), 'preflight-'))
  delete process.env['GITHUB_ACTION_REPOSITORY']
  answers = {}
  missing = []
  server = await startServer()
  server.answer = ({ method, path, body }) => {
    const key = `${method} ${path}`
    if (answers[key]) return answers[key]
    if (path === review) {
      interface Spec {
        spec: { resourceAttributes: { verb: string; resource: string; subresource?: string } }
      }
      const { verb, resource, subresource } = (JSON.parse(body) as Spec).spec.resourceAttributes
      const right = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`
      return { status: 201, body: { status: { allowed: !missing.includes(right) } } }
    }
    if (path.endsWith('/selfsubjectreviews')) {
      return { status: 201, body: { status: { userInfo: { username: 'octo-dev' } } } }
    }
    if (path.startsWith(podPath)) return { status: 200, body: pod }
    return { status: 404, body: status('NotFound', `${path} is not there`) }
  }
})
afterEach(async () => {
  await server.stop()
  rmSync(temp, { recursive: true })
})

const lines: string[] = []
const warnings: string[] = []
const log: Log = {
  info: (line) => lines.push(line),
  notice: (line) => warnings.push(line),
  warning: (line) => warnings.push(line),
  failure: (line) => lines.push(line),
  group: (_title, body) => body(),
}

const cluster = (connection = server.connection): Cluster => ({
  connection,
  autopilot: undefined,
  google: () =>
    Promise.reject(
      new ConfigurationError({
        code: 'E_GOOGLE_CREDENTIALS_MISSING',
        input: 'workload-identity-provider',
        problem: 'no identity',
        fix: 'Set it.',
      }),
    ),
})

function check(inputs: Record<string, string> = {}, connection = server.connection): Promise<Prepared> {
  lines.length = 0
  warnings.length = 0
  const given: Record<string, string> = { pod: 'web-1', namespace: 'shop', ...inputs }
  const request = readRequest((name) => given[name] ?? '')
  const job = { ...readJob({ RUNNER_TEMP: temp, GITHUB_REPOSITORY: 'octo/shop' }), artifactProblem: undefined }
  return preflight(cluster(connection), request, job, log)
}
async function preflightRejection(work: Promise<unknown>): Promise<ConfigurationError> {
  const error = await rejection(work)
  expect(error).toMatchObject({ stage: 'preflight', leftovers: [] })
  return error
}
const codesOf = ({ problems }: ConfigurationError): string[] => problems.map(({ code, input }) => `${code} ${input}`)
const creating = (): string[] =>
  server.requests
    .filter(({ method, path }) => method === 'PATCH' && !path.includes('dryRun=All'))
    .map(({ path }) => path)

it('reports the identity, the rights, the target and the result of admission', async () => {
  const { findings, captures } = await check()
  expect(findings).toEqual([
    'Cluster: test.example as dev (context test)',
    'Identity: octo-dev',
    'Rights in shop: all 4 that are needed',
    'Filter: none',
    'Target: pod web-1 in shop on node node-1',
    expect.stringMatching(/^Admission: .*capture container/),
    expect.stringMatching(/^Exec: .* no dry run/),
  ])
  expect(lines).toEqual(findings)
  expect(captures.map(({ recorder }) => recorder.record.target)).toMatchObject([{ kind: 'pod', pod: 'web-1' }])
  expect(creating()).toEqual([])
})

it('checks admission with a dry run of the capture patch', async () => {
  await check()
  const patches = server.requests.filter(({ method }) => method === 'PATCH')
  expect(patches.map(({ path }) => path)).toEqual([`${podPath}/ephemeralcontainers?dryRun=All`])
  expect(patches[0]?.body).toContain('ephemeralContainers')
})

it('sends what needs no other answer side by side, and asks for nothing twice', async () => {
  await check()
  const paths = server.requests.map(({ method, path }) => `${method} ${path}`)
  expect(paths.slice(0, 6).sort()).toEqual([`GET ${podPath}`, whoPath, ...Array<string>(4).fill(`POST ${review}`)])
  expect(paths.slice(6)).toEqual([`PATCH ${podPath}/ephemeralcontainers?dryRun=All`])
})

it('asks for the time of the API server where its review of the identity has none', async () => {
  answers[whoPath] = { status: 404, body: status('NotFound', 'the server could not find the requested resource') }
  await check()
  const reads = server.requests.filter(({ method, path }) => method === 'GET' && path === podPath)
  expect(reads.length).toBeGreaterThan(1)
})

it('continues when the server does not report the identity', async () => {
  answers[whoPath] = { status: 404, body: status('NotFound', 'the server could not find the requested resource') }
  const { findings } = await check()
  expect(findings.join('\n')).not.toContain('Identity')
})

it('logs the hint about a sidecar and passes it to the capture', async () => {
  const containers = [...pod.spec.containers, { name: 'istio-proxy' }]
  answers[`GET ${podPath}`] = { status: 200, body: { ...pod, spec: { ...pod.spec, containers } } }
  const { captures } = await check({ filter: 'tcp port 80' })
  expect(captures[0]?.hints).toEqual([expect.stringContaining('`(tcp port 80) or tcp port 15001`')])
  expect(lines.at(-1)).toMatch(/^Hint: The pod has a sidecar/)
})

describe('a deployment', () => {
  const owned = (kind: string, name: string, uid: string) => ({
    ownerReferences: [{ kind, name, uid, controller: true }],
  })
  const revision = (number: string) => ({ annotations: { 'deployment.kubernetes.io/revision': number } })
  const query = '?limit=500&labelSelector=app%3Dweb'
  beforeEach(() => {
    const old = { ...pod, metadata: { ...pod.metadata, ...owned('ReplicaSet', 'web-old', 'uid-old') } }
    const stuck = {
      metadata: { name: 'web-stuck', uid: 'uid-stuck', ...owned('ReplicaSet', 'web-new', 'uid-new') },
      status: { phase: 'Pending' },
    }
    const sets = ['old', 'new'].map((name, i) => ({
      metadata: { uid: `uid-${name}`, ...revision(String(i + 1)), ...owned('Deployment', 'web', 'uid-web') },
    }))
    const apps = '/apis/apps/v1/namespaces/shop'
    const deployment = { metadata: { uid: 'uid-web' }, spec: { selector: { matchLabels: { app: 'web' } } } }
    answers[`GET ${apps}/deployments/web`] = { status: 200, body: deployment }
    answers[`GET ${apps}/replicasets${query}`] = { status: 200, body: { items: sets } }
    answers[`GET /api/v1/namespaces/shop/pods${query}`] = { status: 200, body: { items: [old, stuck] } }
  })

  it('whose newest revision cannot be captured is a warning, which the capture keeps for its summary', async () => {
    const { captures } = await check({ pod: 'deployment/web' })
    expect(warnings).toEqual([expect.stringMatching(/^No pod of the newest revision.*: web-stuck is not running/)])
    expect(captures).toMatchObject([{ recorder: { record: { target: { pod: 'web-1' } } }, cautions: warnings }])
  })

  it('whose ReplicaSets may not be listed is captured with a hint and without a warning', async () => {
    answers[`GET /apis/apps/v1/namespaces/shop/replicasets${query}`] = { status: 403, body: status('Forbidden', 'no') }
    const old = {
      ...pod,
      metadata: { ...pod.metadata, labels: { 'pod-template-hash': 'old' }, ...owned('ReplicaSet', 'web-old', 'u') },
    }
    answers[`GET /api/v1/namespaces/shop/pods${query}`] = { status: 200, body: { items: [old] } }
    const { captures } = await check({ pod: 'deploy/web' })
    expect(warnings).toEqual([])
    expect(captures[0]?.hints).toEqual([expect.stringContaining('may not list replicasets')])
  })
})

const violation: Answer = {
  status: 403,
  body: status('Forbidden', 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest"'),
}

describe('reports together the problems', () => {
  it('of rights and of admission, and reports the created resources once', async () => {
    missing = ['get pods/exec', 'create pods/exec']
    answers[`PATCH ${podPath}/ephemeralcontainers?dryRun=All`] = violation
    const error = await preflightRejection(check())
    expect(codesOf(error)).toEqual(['E_PERMISSION_MISSING kubeconfig', 'E_POD_SECURITY namespace'])
    expect(error.problems[0].details).toEqual(missing)
    expect(error.message).toMatch(/^Preflight failed with 2 problems\. No resources were created\.\n- kubeconfig: /)
    expect(error.message.match(/No resources were created/g)).toHaveLength(1)
    expect(creating()).toEqual([])
  })

  it('of rights and of the pod', async () => {
    missing = ['patch pods/ephemeralcontainers']
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, status: { phase: 'Pending' } } }
    expect(codesOf(await preflightRejection(check()))).toEqual([
      'E_PERMISSION_MISSING kubeconfig',
      'E_POD_NOT_RUNNING pod',
    ])
  })

  it('of the pod and of admission', async () => {
    const spec = { ...pod.spec, hostNetwork: true }
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, spec, status: { phase: 'Pending' } } }
    answers[`PATCH ${podPath}/ephemeralcontainers?dryRun=All`] = violation
    const { problems } = await preflightRejection(check())
    expect(problems.map(({ input, problem }) => `${input}: ${problem.split(' ').slice(0, 2).join(' ')}`)).toEqual([
      ...['pod: "web-1" is', 'pod: "web-1" uses', 'namespace: "shop" enforces'],
    ])
  })

  const failing: Answer = { status: 500, body: status('InternalError', 'etcd is away') }
  const page: Answer = { status: 200, body: '<html>log in</html>' }
  const withoutExec = (): void => void (missing = ['create pods/exec'])
  const onNodeNetwork = (): void => {
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, spec: { ...pod.spec, hostNetwork: true } } }
  }
  it.each<[string, string, Answer, RegExp, () => void]>([
    ['for the pod', `GET ${podPath}`, failing, /the pod "web-1" .*answered 500 .*etcd/, withoutExec],
    ['for the rights', `POST ${review}`, failing, /permissions in the namespace "shop" .*500 .*etcd/, onNodeNetwork],
    [
      'for the dry run',
      `PATCH ${podPath}/ephemeralcontainers?dryRun=All`,
      failing,
      /a dry run of the capture container in the pod "web-1" .*answered 500 .*etcd/,
      withoutExec,
    ],
    ['for the rights, which a login page answers', `POST ${review}`, page, /JSON|API server/, onNodeNetwork],
  ])(
    'of a failed request %s and of the other checks',
    async (_what, key, answer, expected, found) => {
      found()
      answers[key] = answer
      const { problems } = await preflightRejection(check())
      expect(problems).toHaveLength(2)
      const [others, failed] = [true, false].map((isOther) =>
        problems.filter(({ code }) => /^E_(PERMISSION_MISSING|HOST_NETWORK|POD_)/.test(code) === isOther),
      )
      expect(others).toHaveLength(1)
      expect(failed?.[0]?.problem).toMatch(expected)
      expect(creating()).toEqual([])
    },
    60_000,
  )

  it.each<[string, Answer]>([
    ['rejects the credentials', { status: 401, body: status('Unauthorized', 'Unauthorized') }],
    ['answers with a login page', page],
    ['answers with null', { status: 200, body: 'null' }],
  ])(
    'of a server that %s and of the checks that need no request, and sends no other request',
    async (_what, answer) => {
      answers[whoPath] = answer
      const connection = { ...server.connection, namespace: 'No_Name' }
      const error = await preflightRejection(check({ namespace: '', filter: 'tcp' }, connection))
      expect(error.problems).toHaveLength(2)
      expect(error.problems[0].problem).toMatch(/401|an API server|JSON/)
      expect(codesOf(error)[1]).toBe('E_NAMESPACE_INVALID kubeconfig')
      expect(lines).toContainEqual(expect.stringMatching(/^Filter: tcp/))
      expect(new Set(server.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set([whoPath]))
    },
  )
})

describe('a missing right', () => {
  it('is reported without a heading when it is the only problem', async () => {
    missing = ['get pods']
    const error = await preflightRejection(check())
    expect(codesOf(error)).toEqual(['E_PERMISSION_MISSING kubeconfig'])
    expect(error.message).toMatch(/^kubeconfig: its user "octo-dev" lacks permissions in the namespace "shop":\n/)
  })

  it('is reported with the command that grants it to the user', async () => {
    missing = ['create pods/exec']
    const { problems, message } = await preflightRejection(check({ filter: 'tcp' }))
    const shown = message.split('\n')
    const command = shown.slice(shown.indexOf("kubectl -n shop apply -f - <<'EOF'"), shown.indexOf('EOF') + 1)
    expect(command.filter((line) => line.includes('verbs'))).toEqual([
      '  - { apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }',
    ])
    expect(command.at(-2)).toBe('  - { kind: User, name: "octo-dev", apiGroup: rbac.authorization.k8s.io }')
    expect(problems[0].docs).toBe('docs/rbac/developer.yaml')
    expect(shown.slice(-2)).toEqual(['See docs/rbac/developer.yaml.', 'No resources were created.'])
  })

  it('to list pods is not checked when the input names a pod', async () => {
    missing = ['list pods']
    const { captures } = await check()
    expect(captures).toHaveLength(1)
  })

  it.each([
    ['get pods', {}],
    ['get deployments', { pod: 'deployment/web' }],
    ['list pods', { pod: 'deployment/web' }],
  ])('to %s prevents the requests that would fail', async (right, inputs) => {
    missing = [right]
    expect((await preflightRejection(check(inputs))).problems[0].details).toEqual([right])
    expect(server.requests.filter(({ method }) => method === 'GET')).toEqual([])
  })

  it('to patch prevents the dry run', async () => {
    missing = ['patch pods/ephemeralcontainers']
    await preflightRejection(check())
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toEqual([])
  })
})

it.each(['../x?y', 'Shop', "a'; touch /root/pwned; '", 'x'.repeat(64)])(
  "does not use the namespace %j of the kubeconfig's context in a URL or a command",
  async (namespace) => {
    const error = await preflightRejection(check({ namespace: '' }, { ...server.connection, namespace }))
    expect(codesOf(error)).toEqual(['E_NAMESPACE_INVALID kubeconfig'])
    expect(error.message).toMatch(/^kubeconfig: its context has the namespace ".*", which is not a valid name\. /)
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([whoPath])
  },
)

it('rejects a capture of a whole node unless it is allowed explicitly', async () => {
  const node = { pod: '', node: 'node-1', level: 'node' }
  const error = await preflightRejection(check(node))
  expect(codesOf(error)).toEqual(['E_HOST_NETWORK_NOT_ALLOWED node'])
  expect(error.message).toMatch(/must be allowed explicitly.* Set `allow-host-network: true`/)
})

describe('recorders of an earlier run that are still running', () => {
  const stale = {
    name: captureIdPrefix('octo/shop') + '00000000',
    command: recorderContainer('x', plan(), 1)['command'],
  }
  beforeEach(() => {
    const ephemeral = {
      spec: { ...pod.spec, ephemeralContainers: [stale] },
      status: { ...pod.status, ephemeralContainerStatuses: [{ name: stale.name, state: { running: {} } }] },
    }
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, ...ephemeral } }
  })
  const execs = (): unknown[] => [...server.sessions]

  it('are stopped before the capture, and the findings name them', async () => {
    server.exec = (session) => session.end({ status: 'Success' })
    const { findings } = await check()
    expect(execs()).toHaveLength(1)
    expect(findings.at(-1)).toContain(stale.name)
  })

  it.each<[string, Record<string, string>, boolean]>([
    ['with preflight: only', { preflight: 'only' }, false],
    ['when a check fails', {}, true],
  ])('are not stopped %s', async (_when, inputs, isFailing) => {
    if (isFailing) missing = ['create pods/exec']
    await check(inputs).catch(() => undefined)
    expect(execs()).toEqual([])
    expect(lines.join('\n')).not.toContain(stale.name)
  })
})

it('shows the URL of a document of this repository at the running version', () => {
  const env = { GITHUB_ACTION_REPOSITORY: 'octo-org/capture', GITHUB_ACTION_REF: 'v1' }
  expect(documentUrl('docs/rbac/developer.yaml', env)).toBe(
    'https://github.com/octo-org/capture/blob/v1/docs/rbac/developer.yaml',
  )
  // An action in the workflow's checkout has neither.
  expect(documentUrl('docs/rbac/developer.yaml', { GITHUB_ACTION_REPOSITORY: '' })).toBe('docs/rbac/developer.yaml')
})

describe('a pod whose processes can change what is recorded', () => {
  const shared = { ...pod, spec: { ...pod.spec, shareProcessNamespace: true } }
  const caution =
    'Caution: the container app shares the process namespace and may run as root, so the content is not protected from it. ' +
    `See ${documentUrl('docs/security.md#who-must-be-trusted-for-what')}`

  it('gets a caution among the findings and in the log, and its record has the cause', async () => {
    answers[`GET ${podPath}`] = { status: 200, body: shared }
    const { findings, captures } = await check()
    expect(findings.at(-1)).toBe(caution)
    expect(warnings).toContain(caution)
    expect(captures[0]?.recorder.record.target).toMatchObject({
      protection: { inPod: 'the container app shares the process namespace and may run as root' },
    })
  })

  it('gets a caution for /dev/shm when the limits of the pod leave no room for a spool on disk', async () => {
    const resources = { limits: { 'ephemeral-storage': '5M' } }
    const full = { ...pod, spec: { ...pod.spec, containers: [{ name: 'app', resources }] } }
    answers[`GET ${podPath}`] = { status: 200, body: full }
    const { findings } = await check()
    expect(findings.at(-1)).toMatch(/^Caution: the container app shares \/dev\/shm, .* and may run as root/)
  })

  it('gets none when its containers have processes of their own', async () => {
    const { findings } = await check()
    expect(findings.join('\n')).not.toContain('Caution')
  })
})

it('reports what protects the connection less than usual in the log, and with each capture', async () => {
  const { captures } = await check({}, { ...server.connection, warnings: ['No certificate is checked.'] })
  expect(warnings).toEqual(['No certificate is checked.'])
  expect(captures.map(({ cautions }) => cautions)).toEqual([['No certificate is checked.']])
  expect(preflightMarkdown([], [], captures[0]?.cautions ?? [])).toContain('> [!WARNING]\n> No certificate is checked.')

  answers[`GET ${podPath}`] = { status: 404, body: status('NotFound', 'no') }
  const failed = await check({}, { ...server.connection, warnings: ['No certificate is checked.'] }).catch(
    (error: unknown) => error,
  )
  expect(failed).toBeInstanceOf(ConfigurationError)
  const { problems, cautions } = failed as ConfigurationError
  expect(failureMarkdown(problems, { cautions })).toContain('> [!WARNING]\n> No certificate is checked.')
})
