import { join } from 'node:path'
import { describeWith } from '../support/needs.ts'
import { openWorkplace, type Workplace } from './action.ts'
import {
  apply,
  command,
  createNamespace,
  deleteNamespace,
  getPod,
  kubectl,
  podAddresses,
  podManifest,
  testClusterScripts,
  until,
  type Manifest,
} from './cluster.ts'
import { dnsNames, ports, waitMs } from './diagnosis/backend.ts'
import {
  clientPod,
  nothingWrong,
  observeAll,
  scenariosMissing,
  verdictOf,
  type Observed,
  type Scenario,
} from './diagnosis/observe.ts'
import { serverName, startBackend, type Backend } from './diagnosis/start-backend.ts'
import { forgetDeletedPods } from './diagnosis/wire.ts'

/** The pods of the scenarios, one each. */
const clients = ['errors', 'slow', 'dns-failing', 'dns-slow', 'dns-silent', 'expired', 'crash', 'healthy'] as const
type Client = (typeof clients)[number]
type Name = Client | 'mesh-client' | 'mesh-server'

const requests = { ok: 18, failing: 12, slow: 6, crash: 3, healthy: 30, mesh: 20 } as const
const handshakes = { expired13: 3, expired12: 2, healthy: 3 } as const

/** `backend` and `crashing` are the addresses of the services. */
function scriptsFor(backend: string, crashing: string): Record<Client, string> {
  const curl = `curl -s -o /dev/null -w '%{http_code} ' --cacert /tmp/ca.crt --max-time 10`
  const url = (host: string, path: string): string => `http://${host}:${String(ports.http)}/${path}`
  const tls = (port: number): string => `${curl} https://${serverName}:${String(port)}/ok`
  const repeat = (times: number, script: string): string => `for i in $(seq ${String(times)}); do ${script}\ndone`
  const readAuthority = 'cat >/tmp/ca.crt'
  return {
    errors: `${curl} '${url(backend, `ok/[1-${String(requests.ok)}]`)}' '${url(backend, `503/[1-${String(requests.failing)}]`)}'`,
    slow: `${repeat(requests.slow, `${curl} ${url(backend, 'slow')} &`)}; wait`,
    'dns-failing': `${curl} ${url(dnsNames.failing, 'ok')}; ${curl} ${url(backend, 'ok')}`,
    'dns-slow': repeat(2, `${curl} ${url(dnsNames.slow, 'ok')}`),
    'dns-silent': `${curl} ${url(dnsNames.silent, 'ok')}`,
    expired: `${readAuthority}; ${repeat(handshakes.expired13, tls(ports.expired13))}; ${repeat(handshakes.expired12, tls(ports.expired12))}`,
    crash: `${repeat(requests.crash, `${curl} ${url(crashing, 'ok')}`)}; ${curl} ${url(backend, 'ok')}`,
    healthy: `${readAuthority}; ${curl} '${url(serverName, `ok/[1-${String(requests.healthy)}]`)}'; ${repeat(handshakes.healthy, tls(ports.tls))}`,
  }
}

/** A service in front of the pod with the same name. */
function serviceManifest(namespace: string, name: string): Manifest {
  const all = Object.entries(ports).map(([port, number]) => ({
    name: port.toLowerCase(),
    port: number,
    protocol: port === 'dns' ? 'UDP' : 'TCP',
  }))
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: all },
  }
}

const serviceAddress = (namespace: string, name: string): Promise<string> =>
  kubectl(['-n', namespace, 'get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}'])

/** Waits until kube-proxy has its rules for a service that has an endpoint, and for one that has none. */
async function waitForServices(namespace: string): Promise<void> {
  await until('the rules of kube-proxy', 60_000, async () => {
    const rules = await command('iptables-save', [])
    const isReady =
      rules.includes(`"${namespace}/backend:http -> `) &&
      rules.includes(`"${namespace}/crashing:http has no endpoints"`)
    return isReady ? true : undefined
  })
}

async function waitForCrashLoop(namespace: string, pod: string): Promise<void> {
  await until('the crash loop', 60_000, async () => {
    const [container] = (await getPod(namespace, pod)).status.containerStatuses ?? []
    return container?.state.waiting?.reason === 'CrashLoopBackOff' ? true : undefined
  })
}

describeWith(scenariosMissing, 'the diagnosis of a pod whose packets arrive', () => {
  let namespace: string
  let mesh: string
  let work: Workplace
  let backend: Backend
  let addresses: string[]
  let seen: Record<Name, Promise<Observed>>

  beforeAll(async () => {
    work = await openWorkplace()
    namespace = await createNamespace('diagnosis')
    mesh = await createNamespace('diagnosis-mesh')
    const sidecars = command(join(testClusterScripts ?? '', 'mesh'), [mesh], { timeout: 180_000 })
    await apply([serviceManifest(namespace, 'backend'), serviceManifest(namespace, 'crashing')])
    const [server, crashing] = await Promise.all([
      serviceAddress(namespace, 'backend'),
      serviceAddress(namespace, 'crashing'),
    ])
    const dnsConfig = { nameservers: [server], options: [{ name: 'timeout', value: '2' }] }
    await apply([
      podManifest(namespace, 'backend', { command: ['sleep', '1000000'] }),
      podManifest(namespace, 'crashing', {
        command: ['false'],
        container: { readinessProbe: { tcpSocket: { port: ports.http } } },
      }),
      ...clients.map((name) => clientPod(namespace, name, { dnsPolicy: 'None', dnsConfig })),
    ])
    addresses = await podAddresses(namespace, ...clients, 'backend')
    backend = await startBackend(namespace, 'backend', server)
    await Promise.all([waitForServices(namespace), waitForCrashLoop(namespace, 'crashing'), sidecars])
    await forgetDeletedPods()
    const payments = await serviceAddress(mesh, 'payments')
    const scripts = scriptsFor(server, crashing)
    const { valid, expired } = backend.authorities
    const scenario = (pod: Client): Scenario => ({
      pod,
      namespace,
      script: `${scripts[pod]}; true`,
      input: pod === 'expired' ? expired : valid,
    })
    const request = (count: number): string =>
      `curl -s -o /dev/null -w '%{http_code} ' '${`http://${payments}/?[1-${String(count)}]`}'`
    seen = observeAll<Name>(work, {
      ...(Object.fromEntries(clients.map((name) => [name, scenario(name)])) as Record<Client, Scenario>),
      'mesh-client': { pod: 'checkout', namespace: mesh, script: request(requests.mesh) },
      'mesh-server': { pod: 'payments', namespace: mesh, client: 'checkout', script: request(requests.mesh) },
    })
    await Promise.allSettled(Object.values(seen))
  }, 300_000)

  afterAll(async () => {
    await backend?.stop()
    await work?.close()
    await deleteNamespace(namespace)
    await deleteNamespace(mesh)
  }, 60_000)

  /** How often the backend did this for the client. */
  const did = (what: string, client: Client): number => backend.count(what, addresses[clients.indexOf(client)] ?? '')

  it('is the peer where the server answers 503: as often as it did', async () => {
    const observed = await seen.errors
    const count = requests.failing
    expect(verdictOf(observed)).toEqual({ culprit: 'peer', severity: 'error', id: 'http-server-errors', count })
    expect(observed.diagnosis.findings[0]?.facts).toMatchObject({
      status: 503,
      requests: requests.ok + requests.failing,
    })
    expect(did('503', 'errors')).toBe(count)
  })

  it('is the peer where the server is slow', async () => {
    const observed = await seen.slow
    const count = requests.slow
    expect(verdictOf(observed)).toEqual({ culprit: 'peer', severity: 'warning', id: 'http-slow', count })
    const facts = observed.diagnosis.findings[0]?.facts
    expect(facts).toMatchObject({ answers: count })
    expect(facts?.['p50_ms']).toBeGreaterThanOrEqual(waitMs.answer - 10)
  })

  it('is name resolution where the DNS server fails: as often as it did', async () => {
    const observed = await seen['dns-failing']
    const count = did(`query ${dnsNames.failing}`, 'dns-failing')
    expect(count).toBeGreaterThanOrEqual(2)
    expect(verdictOf(observed)).toEqual({ culprit: 'dns', severity: 'error', id: 'dns-failed', count })
    expect(observed.diagnosis.findings[0]?.facts).toMatchObject({ code: 'SERVFAIL', queries: count })
  })

  it('is name resolution where the DNS server is slow', async () => {
    const observed = await seen['dns-slow']
    const count = did(`query ${dnsNames.slow}`, 'dns-slow')
    expect(verdictOf(observed)).toEqual({ culprit: 'dns', severity: 'warning', id: 'dns-slow', count })
    expect(observed.diagnosis.findings[0]?.facts['p95_ms']).toBeGreaterThanOrEqual(waitMs.dns - 10)
  })

  it('is name resolution where the DNS server does not answer', async () => {
    const observed = await seen['dns-silent']
    // One query for IPv4 and one for IPv6; those that the client sent again are no new ones.
    expect(did(`query ${dnsNames.silent}`, 'dns-silent')).toBe(4)
    expect(verdictOf(observed)).toEqual({ culprit: 'dns', severity: 'error', id: 'dns-unanswered', count: 2 })
  })

  it('is TLS where the certificate has expired: the client says it, and TLS 1.2 shows it', async () => {
    const observed = await seen.expired
    const count = handshakes.expired13
    expect(verdictOf(observed)).toEqual({ culprit: 'tls', severity: 'error', id: 'tls-alert', count })
    expect(observed.diagnosis.findings[0]?.facts).toMatchObject({ alert: 'certificate_expired', sender: 'client' })
    expect(observed.diagnosis.findings).toContainEqual(
      expect.objectContaining({ id: 'certificate-expired', severity: 'error', count: handshakes.expired12 }),
    )
  })

  it('is the peer where the only pod of a service crashes', async () => {
    const observed = await seen.crash
    const count = requests.crash
    expect(verdictOf(observed)).toEqual({ culprit: 'peer', severity: 'error', id: 'icmp-rejected', count })
    expect(observed.diagnosis.findings[0]?.facts).toMatchObject({ rejection: 'port' })
  })

  it('is none where nothing is wrong, and says what was looked at', async () => {
    const observed = await seen.healthy
    expect(verdictOf(observed)).toEqual(nothingWrong)
    expect(observed.diagnosis.withheld).toEqual([])
    const { clean } = observed.diagnosis
    const queries = did(`query ${serverName}`, 'healthy')
    expect(clean.find(({ area }) => area === 'dns')?.text).toContain(`${String(queries)} queries`)
    expect(clean.find(({ area }) => area === 'http')?.text).toContain(`${String(requests.healthy)} requests`)
    expect(clean.find(({ area }) => area === 'tls')?.text).toContain(`${String(handshakes.healthy)} handshakes`)
  })

  it.each(['mesh-client', 'mesh-server'] as const)('is none behind a sidecar: %s', async (name) => {
    const observed = await seen[name]
    expect(observed.written.trim().split(' ')).toEqual(Array.from({ length: requests.mesh }, () => '200'))
    expect(verdictOf(observed)).toEqual(nothingWrong)
    expect(observed.diagnosis.withheld).toEqual([])
  })
})
