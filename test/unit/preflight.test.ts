import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../src/errors.ts'
import type { Cluster } from '../../src/open.ts'
import { documentAddress } from '../../src/documents.ts'
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
const whoPath = 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews'
const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

let server: Server
/** what the API server answers in place of a yes */
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
const log: Log = {
  info: (line) => lines.push(line),
  warning: (line) => lines.push(line),
  failure: (line) => lines.push(line),
  group: (_title, body) => body(),
}

const cluster = (connection = server.connection): Cluster => ({
  connection,
  autopilot: undefined,
  google: () => Promise.reject(new ConfigurationError('no identity')),
})

function check(inputs: Record<string, string> = {}, connection = server.connection): Promise<Prepared> {
  lines.length = 0
  const given: Record<string, string> = { pod: 'web-1', namespace: 'shop', ...inputs }
  const request = readRequest((name) => given[name] ?? '')
  return preflight(cluster(connection), request, readJob({ RUNNER_TEMP: temp, GITHUB_REPOSITORY: 'octo/shop' }), log)
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
    'Rights in shop: all 4 that are needed',
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

  it('is told all at once: everything about the pod, and what admission says all the same', async () => {
    const spec = { ...pod.spec, hostNetwork: true }
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, spec, status: { phase: 'Pending' } } }
    answers[`PATCH ${podPath}/ephemeralcontainers?dryRun=All`] = {
      status: 403,
      body: status('Forbidden', 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest"'),
    }
    const message = await refusal(check())
    expect(message.split('\n').map((line) => /^(- \w+: \S+ \S+)/.exec(line)?.[1] ?? line.slice(0, 8))).toEqual([
      '3 things',
      '- pod: "web-1" is',
      '- pod: "web-1" uses',
      '- namespace: "shop" enforces',
    ])
  })

  it('is told in its own words where it is one thing', async () => {
    missing = ['get pods']
    expect(await refusal(check())).toMatch(
      /^kubeconfig: its user "octo-dev" lacks rights in the namespace "shop": get pods\. /,
    )
  })

  it('has in it what grants the rights to us, ready to be pasted', async () => {
    missing = ['create pods/exec']
    const lines = (await refusal(check({ filter: 'tcp' }))).split('\n')
    const command = lines.slice(lines.indexOf("kubectl -n shop apply -f - <<'EOF'"), lines.indexOf('EOF') + 1)
    expect(command.filter((line) => line.includes('verbs'))).toEqual([
      '  - { apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }',
    ])
    expect(command.at(-2)).toBe('  - { kind: User, name: "octo-dev", apiGroup: rbac.authorization.k8s.io }')
    expect(lines.at(-1)).toBe('All that is needed, as a file: docs/rbac/developer.yaml')
  })

  it('does not ask to list pods where one is named', async () => {
    missing = ['list pods']
    await expect(check()).resolves.toMatchObject({ recorders: [{ record: { pod: 'web-1' } }] })
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

  const ill: Answer = { status: 500, body: status('InternalError', 'etcd is away') }
  const page: Answer = { status: 200, body: '<html>log in</html>' }
  const lacking = (): void => void (missing = ['create pods/exec'])
  const onNodeNetwork = (): void => {
    answers[`GET ${podPath}`] = { status: 200, body: { ...pod, spec: { ...pod.spec, hostNetwork: true } } }
  }
  it.each<[string, string, Answer, RegExp, () => void]>([
    ['the pod', `GET ${podPath}`, ill, /asked for the pod "web-1", .*answered 500 .*etcd/, lacking],
    ['the right', `POST ${review}`, ill, /asked what we may do in .*"shop", .*answered 500 .*etcd/, onNodeNetwork],
    [
      'the dry run',
      `PATCH ${podPath}/ephemeralcontainers?dryRun=All`,
      ill,
      /asked whether the pod "web-1" takes a capture container, .*answered 500 .*etcd/,
      lacking,
    ],
    ['the right, by a page,', `POST ${review}`, page, /an API server/, onNodeNetwork],
  ])(
    'is told beside what has been found where %s is answered by no answer',
    async (_what, key, answer, words, found) => {
      found()
      answers[key] = answer
      const message = await refusal(check())
      expect(message).toMatch(/^2 things stand in the way\. Nothing was created\.\n/)
      expect(message).toMatch(/^- (pod: "web-1" uses the network|kubeconfig: its user "octo-dev" lacks rights)/m)
      const [problem = ''] = /^- kubeconfig: (?!its user).*/m.exec(message) ?? []
      expect(problem).toMatch(words)
      expect(creating()).toEqual([])
    },
    60_000,
  )

  it.each<[string, Answer]>([
    ['refused', { status: 401, body: status('Unauthorized', 'Unauthorized') }],
    ['shown a page', page],
    ['answered null', { status: 200, body: 'null' }],
  ])(
    'is that we are %s: nothing else is asked, and what can be seen here is looked at all the same',
    async (_, answer) => {
      answers[whoPath] = answer
      const message = await refusal(
        check({ namespace: '', filter: 'tcp' }, { ...server.connection, namespace: 'No_Name' }),
      )
      expect(message).toMatch(/^2 things/)
      expect(message).toMatch(/^- kubeconfig: .*(401|an API server)/m)
      expect(message).toMatch(/^- kubeconfig: its context has the namespace "No_Name"/m)
      expect(lines).toContainEqual(expect.stringMatching(/^Filter: tcp/))
      expect(new Set(server.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set([whoPath]))
    },
  )

  it.each(['../x?y', 'Shop', "a'; touch /root/pwned; '", 'x'.repeat(64)])(
    "is the namespace of the kubeconfig's context: %s becomes no part of an address or a command",
    async (namespace) => {
      const message = await refusal(check({ namespace: '' }, { ...server.connection, namespace }))
      expect(message).toMatch(/^kubeconfig: its context has the namespace ".*", which is no name of a namespace/)
      expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([whoPath])
    },
  )
})

it('a file of this repository is named by its address at the version that runs', () => {
  const env = { GITHUB_ACTION_REPOSITORY: 'octo-org/capture', GITHUB_ACTION_REF: 'v1' }
  expect(documentAddress('docs/rbac/developer.yaml', env)).toBe(
    'https://github.com/octo-org/capture/blob/v1/docs/rbac/developer.yaml',
  )
  // An action of the workflow's own checkout has neither.
  expect(documentAddress('docs/rbac/developer.yaml', { GITHUB_ACTION_REPOSITORY: '' })).toBe('docs/rbac/developer.yaml')
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
    const markdown = preflightProblemMarkdown('first line\n- second\n<img src=x>')
    expect(markdown).toBe('## ❌ Not ready to capture\n\nfirst line<br>\n• second<br>\n&#60;img src=x&#62;\n\n')
  })

  const command = 'kubectl -n shop apply -f - <<\'EOF\'\nrules:\n  - { verbs: ["get"] }\nEOF'
  it('has what is to be pasted in a block of code, as it is', () => {
    const markdown = preflightProblemMarkdown(`2 things\n- a\n${command}\nAll of it: x\n- b\n${command}\nend`)
    expect(markdown.split('\n\n')).toEqual([
      ...['## ❌ Not ready to capture', '2 things<br>\n• a', `\`\`\`sh\n${command}\n\`\`\``],
      ...['All of it: x<br>\n• b', `\`\`\`sh\n${command}\n\`\`\``, 'end', ''],
    ])
  })

  it.each(['```', '````\n<img src=x>', '`````sh', '~~~'])('has no block of code that %j in it would end', (hostile) => {
    const inside = command.replace('rules:', `rules:\n${hostile}`)
    const [, fence = '', content] = /^(`{3,})sh\n([^]*?)\n\1$/m.exec(preflightProblemMarkdown(inside)) ?? []
    expect(content).toBe(inside)
    for (const [run] of inside.matchAll(/`+/g)) expect(run.length).toBeLessThan(fence.length)
  })

  it('has no command of a line that only looks like one', () => {
    expect(preflightProblemMarkdown("x kubectl apply <<'EOF'\nEOF")).not.toContain('```')
    expect(preflightProblemMarkdown("kubectl apply <<'EOF'\nwithout an end")).not.toContain('```')
  })
})
