import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../src/errors.ts'
import type { Cluster } from '../../src/open.ts'
import { preflight, type Prepared } from '../../src/preflight.ts'
import { preflightMarkdown, preflightProblemMarkdown } from '../../src/report/preflight.ts'
import { readRequest } from '../../src/request.ts'
import { readJob } from '../../src/runner/job.ts'
import type { Log } from '../../src/runner/log.ts'
import { startServer, status, type Answer, type Server } from './cluster/server.ts'

const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-1' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app' }] },
  status: { phase: 'Running' },
}
const podPath = '/api/v1/namespaces/shop/pods/web-1'
const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

let server: Server
/** what the API server answers in place of a yes */
let answers: Record<string, Answer>
let missing: string[]
let temp: string
beforeEach(async () => {
  temp = mkdtempSync(join(tmpdir(), 'preflight-'))
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
const log: Log = {
  info: (line) => lines.push(line),
  warning: (line) => lines.push(line),
  failure: (line) => lines.push(line),
  group: (_title, body) => body(),
}

const cluster = (): Cluster => ({
  connection: server.connection,
  autopilot: undefined,
  google: () => Promise.reject(new ConfigurationError('no identity')),
})

function check(inputs: Record<string, string> = {}): Promise<Prepared> {
  lines.length = 0
  const given: Record<string, string> = { pod: 'web-1', namespace: 'shop', ...inputs }
  const request = readRequest((name) => given[name] ?? '')
  return preflight(cluster(), request, readJob({ RUNNER_TEMP: temp, GITHUB_REPOSITORY: 'octo/shop' }), log)
}
async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}
const creating = (): string[] =>
  server.requests
    .filter(({ method, path }) => method === 'PATCH' && !path.includes('dryRun=All'))
    .map(({ path }) => path)

it('tells who we are, what we may, which pod it is and that admission takes it', async () => {
  const { findings, recorders } = await check()
  expect(findings).toEqual([
    'Cluster: test.example as dev (context test)',
    'Identity: octo-dev',
    'Rights in shop: all 5 that are needed',
    'Filter: none',
    'Target: pod web-1 in shop on node node-1',
    'Admission: the cluster would take the capture container',
  ])
  expect(lines).toEqual(findings)
  expect(recorders.map(({ record }) => record.pod)).toEqual(['web-1'])
  expect(creating()).toEqual([])
})

it('asks admission by a dry run of the very patch', async () => {
  await check()
  const patches = server.requests.filter(({ method }) => method === 'PATCH')
  expect(patches.map(({ path }) => path)).toEqual([`${podPath}/ephemeralcontainers?dryRun=All`])
  expect(patches[0]?.body).toContain('ephemeralContainers')
})

it('goes on where the server cannot say who we are', async () => {
  answers['POST /apis/authentication.k8s.io/v1/selfsubjectreviews'] = {
    status: 404,
    body: status('NotFound', 'the server could not find the requested resource'),
  }
  const { findings } = await check()
  expect(findings.join('\n')).not.toContain('Identity')
})

describe('what stands in the way', () => {
  it('is told all at once: rights, and admission', async () => {
    missing = ['get pods/exec', 'create pods/exec']
    answers[`PATCH ${podPath}/ephemeralcontainers?dryRun=All`] = {
      status: 403,
      body: status('Forbidden', 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest"'),
    }
    const message = await refusal(check())
    expect(message).toMatch(
      /^2 things stand in the way\. Nothing was created\.\n- kubeconfig: its user "octo-dev" lacks/,
    )
    expect(message).toContain('get pods/exec, create pods/exec.')
    expect(message).toContain('\n- namespace: "shop" enforces a Pod Security level')
    expect(message.match(/Nothing was created/g)).toHaveLength(1)
    expect(creating()).toEqual([])
  })

  it('is told all at once: rights, and the pod', async () => {
    missing = ['patch pods/ephemeralcontainers']
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, status: { phase: 'Pending' } } }
    const message = await refusal(check())
    expect(message).toMatch(/^2 things stand in the way/)
    expect(message).toContain('patch pods/ephemeralcontainers.')
    expect(message).toContain('- pod: "web-1" is not running (Pending)')
  })

  it('is told in its own words where it is one thing', async () => {
    missing = ['list pods']
    expect(await refusal(check())).toMatch(
      /^kubeconfig: its user "octo-dev" lacks rights in the namespace "shop": list pods\. /,
    )
  })

  it.each([
    ['get pods', {}],
    ['get deployments', { pod: 'deployment/web' }],
    ['list pods', { pod: 'deployment/web' }],
  ])('does not ask for what it knows to be refused: without %s the pod is not looked for', async (right, inputs) => {
    missing = [right]
    expect(await refusal(check(inputs))).toContain(`: ${right}. Nothing was created.`)
    expect(server.requests.filter(({ method }) => method === 'GET')).toEqual([])
  })

  it('without the right to patch is not a dry run, too', async () => {
    missing = ['patch pods/ephemeralcontainers']
    await refusal(check())
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toEqual([])
  })

  it('that is nobody’s mistake ends the run as it is', async () => {
    answers[`GET ${podPath}`] = { status: 500, body: status('InternalError', 'etcd is away') }
    const error: unknown = await check().catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(ConfigurationError)
    expect(String(error)).toContain('etcd is away')
  })
})

describe('the summary of preflight: only', () => {
  it('lists what was found', () => {
    const markdown = preflightMarkdown(['Identity: <b>dev</b>', 'Rights in shop: all 5'], ['The pod has a sidecar'])
    expect(markdown).toContain('## ✅ Ready to capture')
    expect(markdown).toContain('- Rights in shop: all 5')
    expect(markdown).toContain('[!TIP]')
    expect(markdown).not.toContain('<b>dev')
  })

  it('lists what is missing, line by line, with what came from elsewhere escaped', () => {
    const markdown = preflightProblemMarkdown('first line\n    - { verbs: ["get"] }\n<img src=x>')
    expect(markdown).toContain('## ❌ Not ready to capture')
    expect(markdown).toContain('first line<br>\n&nbsp;&nbsp;&nbsp;&nbsp;')
    expect(markdown).not.toContain('<img')
  })
})
