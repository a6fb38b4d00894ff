import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get as httpsGet, request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { handle, matchesLabels, type ApiContext, type ApiRequest } from './cluster/api.ts'
import { readText } from '../support/read-text.ts'
import { until } from '../support/until.ts'
import { addFixtures, developerRules, makePod } from './cluster/fixtures.ts'
import { expand, simulateKubelet, type Kubelet } from './cluster/kubelet.ts'
import type { ExecProcess } from './cluster/namespaces.ts'
import type { Container, Pod } from './cluster/objects.ts'
import { createAuthorizer, type User } from './cluster/rbac.ts'
import { serve, type ApiServer, type Faults } from './cluster/server.ts'
import { startNode } from './cluster/namespaces.ts'
import { podsLack, sandboxSupport, startCluster, type SandboxCluster } from './cluster/start.ts'
import type { Status } from './cluster/status.ts'
import { createStore } from './cluster/store.ts'
import { describeWith } from '../support/needs.ts'

const support = await sandboxSupport()

const admin: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const dev: User = { name: 'dev', groups: ['system:authenticated'] }
const target = 'checkout-7d9f8c6b5-zm8tn'
const shop = '/api/v1/namespaces/shop/pods'

function context(): ApiContext {
  const store = createStore(() => new Date())
  addFixtures(store)
  const authorizer = createAuthorizer()
  authorizer.bind('dev', developerRules)
  return { store, authorizer, kubelet: simulateKubelet(store) }
}

const asked = (
  user: User | undefined,
  method: string,
  url: string,
  body?: unknown,
  headers: ApiRequest['headers'] = {},
): ApiRequest => {
  const { pathname, searchParams } = new URL(url, 'https://sandbox')
  return { method, path: pathname, query: searchParams, headers, body, user }
}

describe('the API as a function', () => {
  const api = context()
  const ask = (
    user: User | undefined,
    method: string,
    url: string,
    body?: unknown,
    headers?: ApiRequest['headers'],
  ): { status: number; body: Status } =>
    handle(api, asked(user, method, url, body, headers)) as { status: number; body: Status }

  it('answers 404, 403 and 401 with the messages of a real API server', () => {
    expect(ask(admin, 'GET', `${shop}/nope`)).toEqual({
      status: 404,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'pods "nope" not found',
        reason: 'NotFound',
        details: { name: 'nope', kind: 'pods' },
        code: 404,
      },
    })
    const nobody = { name: 'nobody', groups: ['system:authenticated'] }
    expect(ask(nobody, 'GET', `${shop}/${target}`).body.message).toBe(
      `pods "${target}" is forbidden: User "nobody" cannot get resource "pods" in API group "" in the namespace "shop"`,
    )
    expect(ask(nobody, 'GET', '/apis/apps/v1/namespaces/shop/deployments/checkout').body.message).toBe(
      'deployments.apps "checkout" is forbidden: User "nobody" cannot get resource "deployments" in API group "apps" in the namespace "shop"',
    )
    expect(ask(dev, 'PATCH', `${shop.replace('shop', 'default')}/x/ephemeralcontainers`).status).toBe(403)
    expect(ask(undefined, 'GET', `${shop}/${target}`)).toMatchObject({ status: 401, body: { reason: 'Unauthorized' } })
    expect(ask(admin, 'GET', '/api/v1/namespaces/shop/secrets/x').status).toBe(404)
  })

  it('lists by label, by field and page by page', () => {
    const names = (query: string): string[] =>
      (ask(dev, 'GET', `${shop}?${query}`).body as unknown as { items: Pod[] }).items.map(
        ({ metadata }) => metadata.name,
      )
    expect(names('labelSelector=app%3Dcheckout')).toEqual(['checkout-7d9f8c6b5-kx2vq', target])
    expect(names('fieldSelector=metadata.name%3Dpayments')).toEqual(['payments'])
    expect(names('fieldSelector=status.phase%3DSucceeded')).toEqual(['migrate-once'])
    expect(names('limit=2')).toHaveLength(2)
    expect(names('limit=100&continue=2')).toHaveLength(names('').length - 2)
  })

  it.each([
    ['app=web', true],
    ['app==web,tier!=db', true],
    ['app in (api, web)', true],
    ['app notin (api,web)', false],
    ['app', true],
    ['!app', false],
    ['tier', false],
    ['app=web,tier=db', false],
  ])('evaluates the label selector %s', (selector, expected) => {
    expect(matchesLabels({ app: 'web' }, selector)).toBe(expected)
  })

  it('answers access reviews with the rules that it enforces', () => {
    const review = (resourceAttributes: object): boolean =>
      (
        ask(dev, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: { resourceAttributes } })
          .body as unknown as { status: { allowed: boolean } }
      ).status.allowed
    const execs = { resource: 'pods', subresource: 'exec', namespace: 'shop' }
    expect(review({ ...execs, verb: 'get' })).toBe(true)
    expect(review({ ...execs, verb: 'create' })).toBe(true)
    expect(review({ ...execs, verb: 'delete' })).toBe(false)
    expect(review({ resource: 'pods', verb: 'get', namespace: 'default' })).toBe(false)
    expect(review({ resource: 'pods', verb: 'get' })).toBe(false)
    api.authorizer.bind('dev', [
      { namespace: 'shop', apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['payments'] },
    ])
    expect(ask(dev, 'GET', `${shop}/payments`).status).toBe(200)
    expect(ask(dev, 'GET', `${shop}/${target}`).status).toBe(403)
    api.authorizer.bind('dev', developerRules)
  })
})

interface PatchAnswer {
  status: number
  body: Pick<Pod, 'metadata' | 'spec'> & { message?: string }
}

describe('PATCH ephemeralcontainers', () => {
  const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
  const patch = (
    api: ApiContext,
    path: string,
    containers: object[],
    headers: ApiRequest['headers'] = strategic,
  ): PatchAnswer =>
    handle(
      api,
      asked(dev, 'PATCH', `/api/v1/namespaces/${path}`, { spec: { ephemeralContainers: containers } }, headers),
    ) as PatchAnswer
  const web = `shop/pods/${target}/ephemeralcontainers`
  const capture = { name: 'capture', image: 'tools:1', command: ['sh'] }

  it('adds by name, keeps uid and creation time, increases the version, and changes nothing in a dry run', () => {
    const api = context()
    const before = structuredClone(api.store.pod('shop', target) as Pod)
    expect(patch(api, `${web}?dryRun=All`, [capture])).toMatchObject({
      status: 200,
      body: { spec: { ephemeralContainers: [capture] } },
    })
    expect(api.store.pod('shop', target)).toEqual(before)
    patch(api, web, [capture])
    const { body } = patch(api, web, [{ ...capture, name: 'second' }])
    expect(body.spec.ephemeralContainers?.map(({ name }) => name)).toEqual(['capture', 'second'])
    expect(body.spec.ephemeralContainers?.[0]).toMatchObject({
      imagePullPolicy: 'IfNotPresent',
      terminationMessagePath: '/dev/termination-log',
    })
    expect(body.metadata).toMatchObject({
      uid: before.metadata.uid,
      creationTimestamp: before.metadata.creationTimestamp,
    })
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(Number(before.metadata.resourceVersion))
  })

  it('replaces the whole list with a plain merge patch', () => {
    const api = context()
    const merge = { 'content-type': 'application/merge-patch+json' }
    patch(api, web, [capture], merge)
    expect(patch(api, web, [{ ...capture, name: 'other' }], merge).body.message).toBe(
      `Pod "${target}" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "capture" may not be removed\n`,
    )
    expect(patch(api, web, [capture], { 'content-type': 'application/json' })).toMatchObject({
      status: 415,
      body: { reason: 'UnsupportedMediaType' },
    })
  })

  it.each<[string, object, string]>([
    ['a name in use', { name: 'checkout' }, 'spec.ephemeralContainers[0].name: Duplicate value: "checkout"'],
    ['no image', { image: '' }, 'spec.ephemeralContainers[0].image: Required value'],
    [
      'a wrong target',
      { targetContainerName: 'zz' },
      'spec.ephemeralContainers[0].targetContainerName: Not found: "zz"',
    ],
    [
      'two fields that may not be set',
      { ports: [{ containerPort: 1 }], resources: { limits: { cpu: '1' } } },
      '[spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container, spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container]',
    ],
  ])('rejects %s', (_, change, message) => {
    const answer = patch(context(), web, [{ ...capture, ...change }])
    expect(answer.status).toBe(422)
    expect(answer.body.message).toBe(`Pod "${target}" is invalid: ${message}`)
  })

  it('rejects a change of an existing entry, and static pods', () => {
    const api = context()
    patch(api, web, [capture])
    expect(patch(api, web, [{ ...capture, image: 'changed' }]).body.message).toContain(
      'existing ephemeral containers "capture" may not be changed',
    )
    expect(patch(api, 'shop/pods/registry-cache-sandbox-node/ephemeralcontainers', [capture]).body.message).toBe(
      'Pod "registry-cache-sandbox-node" is invalid: []: Forbidden: static pods do not support ephemeral containers',
    )
  })

  it('applies the Pod Security level of the namespace', () => {
    const root = { ...capture, securityContext: { runAsUser: 0, runAsNonRoot: false } }
    expect(patch(context(), 'locked/pods/vault/ephemeralcontainers', [root])).toMatchObject({
      status: 403,
      body: {
        message:
          'pods "vault" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "capture" must set ' +
          'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "capture" must set securityContext.capabilities.drop=["ALL"]), ' +
          'runAsNonRoot != true (container "capture" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "capture" must not set runAsUser=0), ' +
          'seccompProfile (pod or container "capture" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      },
    })
    expect(patch(context(), 'base/pods/web/ephemeralcontainers', [root]).status).toBe(200)
    const raw = { ...capture, securityContext: { privileged: true, capabilities: { add: ['NET_RAW', 'NET_ADMIN'] } } }
    expect(patch(context(), 'base/pods/web/ephemeralcontainers', [raw]).body.message).toBe(
      'pods "web" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (container "capture" must not include ' +
        '"NET_ADMIN", "NET_RAW" in securityContext.capabilities.add), privileged (container "capture" must not set securityContext.privileged=true)',
    )
    expect(patch(context(), web, [raw]).status).toBe(200)
    // In the order of a real API server (measured).
    expect(patch(context(), 'locked/pods/vault/ephemeralcontainers', [raw]).body.message).toMatch(
      /"restricted:latest": privileged \(.*\), allowPrivilegeEscalation != false \(.*\), unrestricted capabilities \(container "capture" must set securityContext\.capabilities\.drop=\["ALL"\]; container "capture" must not include "NET_ADMIN", "NET_RAW" in securityContext\.capabilities\.add\), runAsNonRoot/,
    )
  })
})

it.each([
  ['$(A)', 'one'],
  ['$$(A)', '$(A)'],
  ['$(NOT_SET) $A $', '$(NOT_SET) $A $'],
  ['$$$(A)$$', '$one$'],
])('expands %s as Kubernetes does', (text, expected) => {
  expect(expand(text, { A: 'one' })).toBe(expected)
})

interface Ended {
  frames: { channel: number; data: Buffer }[]
  code: number
  protocol: string
}

/** Everything that a server sends on an exec until it closes the connection. */
function exec(
  api: { url: string; certificate: string; token: string },
  path: string,
  protocols: string[],
  opened: (socket: WebSocket) => void = () => undefined,
): Promise<Ended> {
  const socket = new WebSocket(`${api.url.replace('https', 'wss')}${path}`, protocols, {
    ca: api.certificate,
    headers: { Authorization: `Bearer ${api.token}` },
    perMessageDeflate: false,
  })
  const frames: Ended['frames'] = []
  return new Promise((resolve, reject) => {
    socket.on('open', () => opened(socket))
    socket.on('message', (data: Buffer) => void frames.push({ channel: data[0] as number, data: data.subarray(1) }))
    socket.on('error', reject)
    socket.on('unexpected-response', (_, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => reject(new Error(`${response.statusCode} ${text.trim()}`)))
    })
    socket.on('close', (code) => resolve({ frames, code, protocol: socket.protocol }))
  })
}

const bytesOn = ({ frames }: Ended, channel: number): Buffer =>
  Buffer.concat(frames.filter((frame) => frame.channel === channel).map(({ data }) => data))
const statusOf = (ended: Ended): { status: string; message?: string; details?: unknown } =>
  JSON.parse(bytesOn(ended, 3).toString()) as { status: string }
const v5 = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const v4 = ['v4.channel.k8s.io']
const command = (...words: string[]): string => words.map((word) => `&command=${encodeURIComponent(word)}`).join('')

describe('exec over WebSocket (local processes, without namespaces)', () => {
  let server: ApiServer
  const faults: Faults = { exec: {} }
  let api: { url: string; certificate: string; token: string }
  const children: ChildProcess[] = []
  let skew = 0

  beforeAll(async () => {
    const store = createStore(() => new Date(Date.now() + skew))
    addFixtures(store)
    const local = (argv: string[]): ExecProcess => {
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'pipe' })
      children.push(child)
      return {
        child,
        ended: new Promise((resolve) => child.once('close', (code) => resolve({ exitCode: code ?? 137 }))),
      }
    }
    const kubelet: Kubelet = { ...simulateKubelet(store), exec: (_pod, _container, argv) => local(argv) }
    const authorizer = createAuthorizer()
    authorizer.bind('half', [{ namespace: 'shop', apiGroups: [''], resources: ['pods/exec'], verbs: ['get'] }])
    server = await serve({ store, authorizer, kubelet }, faults)
    api = { url: server.url, certificate: server.certificate, token: server.token('admin') }
  })
  beforeEach(() => {
    faults.exec = {}
    delete faults.answer
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await server.stop()
  })
  const path = `${shop}/${target}/exec?container=checkout&stdin=true&stdout=true&stderr=true`

  it.each([
    ['v5', v5, 'command terminated with exit code 3'],
    ['v4', v4, 'error executing command [sh -c echo out; echo err >&2; exit 3], exit code 3'],
  ])(
    '%s: sends an empty first message, the streams and the status, and closes with code 1000',
    async (name, protocols, words) => {
      const ended = await exec(api, path + command('sh', '-c', 'echo out; echo err >&2; exit 3'), protocols)
      expect(ended.protocol).toBe(`${name}.channel.k8s.io`)
      expect(ended.frames[0]).toEqual({ channel: 1, data: Buffer.alloc(0) })
      expect(bytesOn(ended, 1).toString()).toBe('out\n')
      expect(bytesOn(ended, 2).toString()).toBe('err\n')
      expect(statusOf(ended)).toEqual({
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: ${words}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '3' }] },
      })
      expect(ended.frames.at(-1)?.channel).toBe(3)
      expect(ended.code).toBe(1000)
    },
  )

  it('closes stdin on v5 CloseStream', async () => {
    const ended = await exec(api, path + command('cat'), v5, (socket) => {
      socket.send(Buffer.from('\0abc'))
      socket.send(Buffer.from([255, 0]))
    })
    expect(bytesOn(ended, 1).toString()).toBe('abc')
    expect(statusOf(ended)).toEqual({ metadata: {}, status: 'Success' })
  })

  it('passes 30 MB in each direction in order', async () => {
    const block = Buffer.alloc(1_000_001, 'x')
    block[0] = 0
    const ended = await exec(api, path + command('cat'), v5, (socket) => {
      for (let sent = 0; sent < 30; sent += 1) socket.send(block)
      socket.send(Buffer.from([255, 0]))
    })
    expect(bytesOn(ended, 1)).toHaveLength(30_000_000)
  })

  it('does not read a process faster than its client reads', async () => {
    let produced = 0
    const ended = exec(
      api,
      path +
        command('sh', '-c', 'i=0; while [ $i -lt 60 ]; do head -c 1000000 /dev/zero; i=$((i+1)); echo $i >&2; done'),
      v5,
      (socket) => {
        socket.on('message', (data: Buffer) => {
          if (data[0] === 2) produced = Number(data.subarray(1).toString().trim().split('\n').at(-1))
        })
        socket.pause()
        void delay(1000).then(() => {
          // If the server had continued to read, the process would have ended by now.
          expect(children.at(-1)?.exitCode).toBeNull()
          socket.resume()
        })
      },
    )
    expect(bytesOn(await ended, 1)).toHaveLength(60_000_000)
    expect(produced).toBe(60)
  })

  it('closes stdin when the client disconnects', async () => {
    await exec(api, path + command('sh', '-c', 'cat; exit 5'), v5, (socket) => socket.terminate())
    const child = children.at(-1)
    await until('the process ended', () => child?.exitCode !== null)
    expect(child?.exitCode).toBe(5)
  })

  it('rejects requests with the messages and codes of a real cluster', async () => {
    const as = (user: string, at: string, protocols = v5): Promise<Ended> =>
      exec({ ...api, token: server.token(user) }, at, protocols)
    await expect(as('admin', path.replace('=checkout', '=zzz'))).rejects.toThrow(
      `400 {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"container zzz is not valid for pod ${target}"`,
    )
    await expect(as('admin', path.replace(target, 'nope'))).rejects.toThrow(/^404 .*pods \\"nope\\" not found/)
    await expect(as('nobody', path)).rejects.toThrow(/^403 .*cannot get resource \\"pods\/exec\\"/)
    await expect(as('half', path)).rejects.toThrow(/^403 .*cannot create resource \\"pods\/exec\\"/)
    await expect(as('admin', `${shop}/reports-0/exec?container=app`)).rejects.toThrow(
      /^400 .*does not have a host assigned/,
    )
    await expect(as('admin', `${shop}/migrate-once/exec?container=app`)).rejects.toThrow(
      '500 container not found ("app")',
    )
    await expect(as('admin', path, ['v9.channel.k8s.io'])).rejects.toThrow(/^403/)
    await expect(exec({ ...api, token: 'wrong' }, path, v5)).rejects.toThrow(/^401/)
  })

  it('injects faults: a broken connection, no v5, a stall, Success without data', async () => {
    faults.exec = { cutAfterBytes: 1000, cutTimes: 1 }
    const cut = await exec(api, path + command('head', '-c', '5000', '/dev/zero'), v5)
    expect([bytesOn(cut, 1).length, bytesOn(cut, 3).length, cut.code]).toEqual([1000, 0, 1006])
    expect(bytesOn(await exec(api, path + command('head', '-c', '5000', '/dev/zero'), v5), 1)).toHaveLength(5000)

    faults.exec = { refuseV5: true }
    expect((await exec(api, path + command('true'), v5)).protocol).toBe('v4.channel.k8s.io')
    await expect(exec(api, path + command('true'), ['v5.channel.k8s.io'])).rejects.toThrow(/^403/)

    faults.exec = { emptySuccess: true }
    const empty = await exec(api, path + command('echo', 'x'), v5)
    expect([bytesOn(empty, 1).length, statusOf(empty).status, empty.code]).toEqual([0, 'Success', 1000])

    faults.exec = { stallAfterBytes: 10 }
    const stalled = await exec(
      api,
      path + command('echo', 'more than ten bytes'),
      v5,
      (socket) => void delay(500).then(() => socket.terminate()),
    )
    expect([bytesOn(stalled, 1).length, bytesOn(stalled, 3).length]).toEqual([10, 0])

    faults.answer = () => ({ status: 503, body: { message: 'overloaded' } })
    await expect(exec(api, path, v5)).rejects.toThrow('503 {"message":"overloaded"}')
  })

  it('sets the Date of each response from its clock, and records each request', async () => {
    skew = 3_600_000
    const before = server.requests.length
    const options: RequestOptions = { ca: server.certificate, headers: { Authorization: `Bearer ${api.token}` } }
    const date = await new Promise<string | undefined>((resolve) =>
      httpsGet(`${server.url}${shop}/nope?x=1`, options, (response) => resolve(response.resume().headers.date)),
    )
    expect(Date.parse(date ?? '') - Date.now()).toBeGreaterThan(3_590_000)
    const review = httpsRequest(`${server.url}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`, {
      ...options,
      method: 'POST',
    })
    const answered = new Promise((resolve) =>
      review.on('response', (response) => resolve(response.resume().statusCode)),
    )
    review.end('{"spec":{}}')
    expect(await answered).toBe(201)
    expect(server.requests.slice(before)).toEqual([
      { method: 'GET', path: `${shop}/nope`, query: 'x=1', user: 'admin', status: 404 },
      {
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        query: '',
        body: { spec: {} },
        user: 'admin',
        status: 201,
      },
    ])
    skew = 0
  })
})

describeWith(await podsLack(), `pods as namespaces${support.supported ? ` (${support.mode})` : ''}`, () => {
  let cluster: SandboxCluster
  let api: { url: string; certificate: string; token: string }
  let names = 0

  beforeAll(async () => {
    cluster = await startCluster()
    const kubeconfig = cluster.kubeconfig('admin')
    const certificate = Buffer.from(
      /certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '',
      'base64',
    ).toString()
    api = { url: cluster.server, certificate, token: /token: (\S+)/.exec(kubeconfig)?.[1] ?? '' }
  }, 30_000)
  afterAll(() => cluster.stop())

  const run = async (pod: string, script: string, container = 'checkout', namespace = 'shop'): Promise<string> => {
    const ended = await exec(
      api,
      `/api/v1/namespaces/${namespace}/pods/${pod}/exec?container=${container}&stdout=true&stderr=true${command('sh', '-c', script)}`,
      v5,
    )
    return bytesOn(ended, 1).toString() + bytesOn(ended, 2).toString()
  }
  const addPod = (container: Partial<Container>, spec: Partial<Pod['spec']> = {}): string => {
    names += 1
    const name = `test-${names}`
    cluster.addPod({
      namespace: 'shop',
      name,
      containers: [{ name: 'app', image: 'registry.sandbox/pause:1', ...container }],
      spec: { restartPolicy: 'Never', ...spec },
    })
    return name
  }
  const terminated = (pod: string): Promise<{ exitCode: number; reason: string; message?: string }> =>
    until(`${pod} ended`, () => cluster.pod('shop', pod)?.status.containerStatuses?.[0]?.state.terminated)
  const running = (pod: string): Promise<true> =>
    until(`${pod} runs`, () =>
      cluster.pod('shop', pod)?.status.containerStatuses?.[0]?.state.running === undefined ? undefined : true,
    )

  it('reports an exec into a container that has ended as such, without output of its own tools', async () => {
    const node = await startNode()
    try {
      const container = await node.startContainer(await node.addPod('ended', false), {
        ...{ id: 'ended', argv: ['sleep', '60'], env: {}, directory: '/', hideTcpdump: false, readOnly: false },
        privileges: { user: 0, add: [], drop: [], privileged: false, noNewPrivileges: false },
      })
      container.signal('SIGKILL')
      await container.ended
      const { child, ended } = container.exec(['true'])
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      expect(await ended).toEqual({ stopped: true })
      expect(output).toBe('')
    } finally {
      await node.stop()
    }
  })

  it('gives each pod its own network, and each container its own processes, /tmp and /dev', async () => {
    expect(
      (await run(target, 'ls /sys/class/net; ls /proc | grep -c "^[0-9]"; hostname')).split('\n').slice(0, 2),
    ).toEqual(['eth0', 'lo'])
    expect(await run('payments', 'echo mine >/tmp/file; cat /tmp/file; exec ls /proc', 'app')).toMatch(/^mine\n1\n/)
    expect(await run('payments', 'cat /tmp/file', 'istio-proxy')).toContain('No such file')
    expect(await run('payments', 'ls /dev', 'app')).toBe(
      'fd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\ntermination-log\ntty\nurandom\nzero\n',
    )
    expect(await run('payments', 'touch /etc/sandbox-was-here', 'app')).toContain('Read-only file system')
    expect(await run('node-agent', 'ls /sys/class/net', 'app')).toContain('cni0')
  })

  it('shows an exec’d process only the processes of the container', async () => {
    const processes = (await run('payments', 'ls /proc', 'app')).split('\n').filter((name) => /^\d+$/.test(name))
    expect(processes.length).toBeLessThan(10)
    expect(await run('payments', 'cat /proc/1/comm', 'app')).toBe('sh\n')
  })

  it('has traffic between two pods on eth0, on both ports, with some 503s, and a filter separates the ports', async () => {
    const text = await run(target, 'timeout 20 tcpdump -i any -n -A -Z root -c 400 tcp port 8080 2>/dev/null')
    expect(text).toMatch(/eth0 .*10\.88\.0\.1[12]\.\d+ > 10\.88\.0\.1[12]\.8080/)
    expect(text).toMatch(/GET \/pay\/\d+ HTTP\/1.1/)
    expect(text).toContain('HTTP/1.1 200 OK')
    expect(text).toContain('HTTP/1.1 503 Service Unavailable')
    expect(text).not.toContain('/metrics')
    expect(await run(target, 'timeout 20 tcpdump -i eth0 -n -A -Z root -c 20 tcp port 9090 2>/dev/null')).toContain(
      'GET /metrics',
    )
  }, 45_000)

  it('reports exit code, reason and termination message, and expands $(VAR)', async () => {
    const pod = addPod({
      command: ['sh', '-c', 'echo "$(GREETING) $$(GREETING)" >/dev/termination-log; exit 4'],
      env: [
        { name: 'WHO', value: 'you' },
        { name: 'GREETING', value: 'hello $(WHO)' },
      ],
    })
    // The shell runs the `$(GREETING)` that is left after `$$` became `$`; there is no such program.
    expect(await terminated(pod)).toMatchObject({ exitCode: 4, reason: 'Error', message: 'hello you \n' })
    expect(cluster.pod('shop', pod)?.status.phase).toBe('Failed')
    expect(await terminated(addPod({ command: ['true'] }))).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(await terminated(addPod({ command: ['no-such-program'] }))).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
    })
    const killed = addPod({})
    await running(killed)
    cluster.killContainer('shop', killed, 'app')
    expect(await terminated(killed)).toMatchObject({ exitCode: 137, reason: 'Error' })
  })

  const logOf = (pod: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${api.token}` }
      httpsGet(`${api.url}${shop}/${pod}/log`, { ca: api.certificate, headers }, (response) => {
        void readText(response).then(resolve, reject)
      }).on('error', reject)
    })

  it('sends TERM on deletion, waits for the grace period, kills remaining processes, and removes the pod', async () => {
    const polite = addPod({
      command: ['sh', '-c', 'trap "echo bye >/dev/termination-log; exit 0" TERM; echo up; while :; do sleep 0.1; done'],
    })
    await running(polite)
    await until('its trap is set', async () => (await logOf(polite)).includes('up'))
    let started = Date.now()
    await cluster.deletePod('shop', polite, 30)
    expect(Date.now() - started).toBeLessThan(5000)
    expect(cluster.pod('shop', polite)).toBeUndefined()
    // PID 1 without a handler never sees TERM.
    const deaf = addPod({ command: ['sleep', '1000'] })
    await running(deaf)
    started = Date.now()
    const gone = cluster.deletePod('shop', deaf, 1)
    expect(cluster.pod('shop', deaf)?.metadata.deletionTimestamp).toBeDefined()
    await gone
    expect(Date.now() - started).toBeGreaterThanOrEqual(1000)
  })

  it('kills the exec’d processes of a container when its main process ends', async () => {
    const pod = addPod({})
    await running(pod)
    const ended = exec(
      api,
      `${shop}/${pod}/exec?container=app&stdout=true${command('sh', '-c', 'echo up; sleep 1000')}`,
      v5,
      (socket) => socket.once('message', () => socket.once('message', () => cluster.killContainer('shop', pod, 'app'))),
    )
    expect(statusOf(await ended).details).toEqual({ causes: [{ reason: 'ExitCode', message: '137' }] })
  })

  it('runs an ephemeral container that the API accepted, with the requested privileges', async () => {
    const add = async (
      name: string,
      container: Partial<Container>,
    ): Promise<Pod['status']['ephemeralContainerStatuses']> => {
      const body = JSON.stringify({ spec: { ephemeralContainers: [{ name, image: 'tools:1', ...container }] } })
      const url = `${cluster.server}${shop}/payments/ephemeralcontainers`
      const headers = {
        Authorization: `Bearer ${api.token}`,
        'Content-Type': 'application/strategic-merge-patch+json',
      }
      const status = await new Promise((resolve, reject) =>
        httpsRequest(url, { method: 'PATCH', ca: api.certificate, headers }, (response) =>
          resolve(response.resume().statusCode),
        )
          .on('error', reject)
          .end(body),
      )
      expect(status).toBe(200)
      return cluster.pod('shop', 'payments')?.status.ephemeralContainerStatuses
    }
    const state = (name: string): Promise<string> =>
      until(`${name} left ContainerCreating`, () => {
        const { waiting, terminated: end } =
          cluster.pod('shop', 'payments')?.status.ephemeralContainerStatuses?.find((one) => one.name === name)?.state ??
          {}
        if (waiting && waiting.reason !== 'ContainerCreating' && waiting.reason !== 'ErrImagePull')
          return `waiting ${waiting.reason}`
        return end && `${end.exitCode} ${end.message ?? ''}`.trim()
      })
    const say = (script: string): Pick<Container, 'command'> => ({
      command: ['sh', '-c', `{ ${script}; } >/dev/termination-log 2>&1`],
    })
    const tcpdump = say('timeout 5 tcpdump -i lo -Z root -c 1 -w /tmp/x & sleep 0.5; kill %1 2>/dev/null; wait')

    await add('who', say('id -u; ls /sys/class/net | tr "\\n" " "'))
    expect(await state('who')).toBe('0 0\neth0 lo')
    await add('user', { ...say('id -u'), securityContext: { runAsUser: 1000 } })
    expect(await state('user')).toBe('0 1000')
    await add('none', { image: 'tools-nonetraw:1', ...tcpdump })
    expect(await state('none')).toContain("don't have permission")
    await add('raw', {
      image: 'tools-nonetraw:1',
      ...tcpdump,
      securityContext: { capabilities: { add: ['NET_RAW'] } },
    })
    expect(await state('raw')).toContain('listening on lo')
    await add('bare', { image: 'notools:1', ...say('command -v sh; command -v tcpdump || echo none') })
    expect(await state('bare')).toMatch(/^0 \S*\/sh\nnone$/)
    await add('absent', { image: 'missing:1' })
    expect(await state('absent')).toBe('waiting ImagePullBackOff')
    await add('root', { securityContext: { runAsNonRoot: true } })
    expect(await state('root')).toBe('waiting CreateContainerConfigError')
    const statuses = await add('never', { image: 'stuck:1' })
    expect(statuses?.find(({ name }) => name === 'never')?.state).toEqual({
      waiting: { reason: 'ContainerCreating' },
    })
    // Ephemeral containers do not affect the pod's own status.
    expect(cluster.pod('shop', 'payments')?.status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ ready: true }, { ready: true }],
    })
  }, 30_000)

  it('leaves no process when it stops or is killed', async () => {
    // Its kubeconfigs are in this folder: a killed process cannot delete them.
    const directory = mkdtempSync(join(tmpdir(), 'sandbox-test-'))
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const cli = spawn(process.execPath, [fileURLToPath(new URL('cli.ts', import.meta.url))], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TMPDIR: directory },
      })
      let output = ''
      cli.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      await until('the sandbox started', () => output.includes('Ctrl-C'))
      const family = descendants(cli.pid ?? 0)
      expect(family.length).toBeGreaterThan(20)
      cli.kill(signal)
      await until('every process is gone', () => family.every((id) => !lives(id)))
      await until('the sandbox ended', () => cli.exitCode !== null || cli.signalCode !== null)
      if (signal === 'SIGINT') expect([cli.exitCode, readdirSync(directory)]).toEqual([0, []])
    }
    rmSync(directory, { recursive: true })
  }, 60_000)
})

/** `pid:start time`, which is unique to the process; undefined when there is no process, or only a zombie. */
function identity(pid: number): { id: string; parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { id: `${pid}:${fields[19]}`, parent: Number(fields[1]) }
  } catch {
    return undefined
  }
}

const lives = (id: string): boolean => identity(Number(id.split(':')[0]))?.id === id

function descendants(root: number): string[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), ...identity(Number(name)) }))
  const family = new Set([root])
  for (let before = 0; before !== family.size;) {
    before = family.size
    for (const { pid, parent } of all) if (parent !== undefined && family.has(parent)) family.add(pid)
  }
  return all.flatMap(({ pid, id }) => (family.has(pid) && id !== undefined ? [id] : []))
}

it('has fixtures that a test can extend', () => {
  const { store } = context()
  const pod = makePod(store, { namespace: 'shop', name: 'extra' })
  expect(store.pod('shop', 'extra')).toBe(pod)
})
