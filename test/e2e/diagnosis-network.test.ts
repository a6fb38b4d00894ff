import { describeWith } from '../support/needs.ts'
import { openWorkplace, type Workplace } from './action.ts'
import { apply, createNamespace, deleteNamespace, podAddresses, podManifest } from './cluster.ts'
import { ports, waitMs } from './diagnosis/backend.ts'
import {
  clientPod,
  observeAll,
  scenariosMissing,
  verdictOf,
  type Observed,
  type Scenario,
} from './diagnosis/observe.ts'
import { startBackend, type Backend } from './diagnosis/start-backend.ts'
import { addSecondNode, firstNode, removeSecondNode, secondNode, Wire } from './diagnosis/wire.ts'
import { countPackets } from './pcap.ts'

/** The pods of the scenarios, one each; `late` is captured at the other end of the wire. */
const clients = ['loss', 'late', 'dropped', 'black-hole', 'idle', 'refused', 'stalled'] as const
type Client = (typeof clients)[number]

/** Of the packets that are longer than an acknowledgment, every twelfth is lost. */
const lossRule = '-m length --length 500: -m statistic --mode nth --every 12 --packet 0 -j DROP'
const pathMtuBytes = 1300
/** The diagnosis takes a pause from 3 s on for idle time. */
const pauseSeconds = 4
const attempts = { dropped: 3, blackHole: 2, refused: 4 } as const

/** What happens to the packets of a client on the wire to the node of the backend. */
const rules: Partial<Record<Client, string>> = {
  loss: lossRule,
  late: lossRule,
  // As a NetworkPolicy does
  dropped: `-p tcp --dport ${String(ports.tls)} -j DROP`,
  // Without the ICMP message that a router would send
  'black-hole': `-m length --length ${String(pathMtuBytes + 1)}: -j DROP`,
  // As a load balancer does that has forgotten the connection
  idle: '-p tcp -m string --algo bm --string /after-the-pause -j REJECT --reject-with tcp-reset',
}

function scriptsFor(server: string): Record<Client, string> {
  const origin = `http://${server}:${String(ports.http)}`
  const curl = `curl -s -o /dev/null -w '%{http_code} ' -H Expect: --max-time 12`
  const repeat = (times: number, command: string): string => `for i in $(seq ${String(times)}); do ${command}\ndone`
  const upload = (bytes: number, path: string, options = ''): string =>
    `head -c ${String(bytes)} /dev/zero | ${curl} ${options} --data-binary @- ${origin}/${path}`
  // Each segment is one packet, as a network card makes it of larger ones: what the rule loses can be compared with what is sent again.
  const lossy = `ip link set dev eth0 gso_max_segs 1 && ${upload(1_000_000, 'upload')}`
  const ask = (path: string): string => `printf 'GET /${path} HTTP/1.1\\r\\nHost: backend\\r\\n\\r\\n' >&3`
  return {
    loss: lossy,
    late: lossy,
    dropped: `${repeat(attempts.dropped, `${curl} --max-time 3 https://${server}:${String(ports.tls)}/ &`)}; ${curl} ${origin}/ok; wait`,
    'black-hole': `${repeat(attempts.blackHole, `${upload(6_000, 'upload', '--max-time 4')} &`)}; wait`,
    idle: `trap '' PIPE; exec 3<>/dev/tcp/${server}/${String(ports.http)}; ${ask('first')}; sleep ${String(pauseSeconds)}; ${ask('after-the-pause')}; cat <&3`,
    refused: `${repeat(attempts.refused, `${curl} http://${server}:${String(ports.closed)}/`)}; ${curl} ${origin}/ok`,
    stalled: upload(3_000_000, 'unread'),
  }
}

describeWith(scenariosMissing, 'the diagnosis of a pod whose packets do not arrive', () => {
  const wire = new Wire()
  let namespace: string
  let work: Workplace
  let backend: Backend
  let addresses: string[]
  let seen: Record<Client, Promise<Observed>>

  beforeAll(async () => {
    work = await openWorkplace()
    namespace = await createNamespace('diagnosis')
    await addSecondNode()
    const netAdmin = { securityContext: { capabilities: { add: ['NET_ADMIN'] } } }
    await apply([
      podManifest(namespace, 'backend', { command: ['sleep', '1000000'], spec: { nodeName: secondNode } }),
      ...clients.map((name) =>
        clientPod(namespace, name, { nodeName: firstNode }, rules[name] === lossRule ? netAdmin : {}),
      ),
    ])
    const [server = '', ...others] = await podAddresses(namespace, 'backend', ...clients)
    addresses = others
    backend = await startBackend(namespace, 'backend', server)
    await wire.open()
    for (const name of clients) {
      const rule = rules[name]
      if (rule !== undefined) await wire.add(addressOf(name), rule)
    }
    const scripts = scriptsFor(server)
    const scenario = (pod: Client): Scenario => ({ pod, namespace, script: `${scripts[pod]}; true` })
    const all = Object.fromEntries(clients.map((name) => [name, scenario(name)])) as Record<Client, Scenario>
    const inputs = { filter: `host ${addressOf('late')}` }
    seen = observeAll(work, { ...all, late: { ...all.late, pod: 'backend', client: 'late', inputs } })
    await Promise.allSettled(Object.values(seen))
  }, 300_000)

  afterAll(async () => {
    await backend?.stop()
    await wire.close()
    await work?.close()
    await deleteNamespace(namespace)
    await removeSecondNode()
  }, 60_000)

  const addressOf = (client: Client): string => addresses[clients.indexOf(client)] ?? ''

  it('is the network where the wire loses packets: as many are sent again as were lost', async () => {
    const observed = await seen.loss
    const lost = await wire.matched(addressOf('loss'))
    expect(lost).toBeGreaterThan(50)
    const count = observed.diagnosis.findings[0]?.count ?? 0
    expect(verdictOf(observed)).toEqual({ culprit: 'network', severity: 'error', id: 'data-resent', count })
    // A sender that waits for an acknowledgment sends more again than was lost.
    expect(count).toBeGreaterThanOrEqual(lost)
    expect(count).toBeLessThan(1.5 * lost)
  })

  it('is the network where the loss is before the capture: what was lost arrives late', async () => {
    const observed = await seen.late
    const lost = await wire.matched(addressOf('late'))
    const count = observed.diagnosis.findings[0]?.count ?? 0
    expect(verdictOf(observed)).toEqual({ culprit: 'network', severity: 'error', id: 'data-late', count })
    // What is lost twice arrives once.
    expect(count).toBeLessThanOrEqual(lost)
    expect(count).toBeGreaterThan(0.5 * lost)
  })

  it('is a rule where the SYNs to one port of a host that answers are dropped', async () => {
    const observed = await seen.dropped
    const count = attempts.dropped
    expect(verdictOf(observed)).toEqual({ culprit: 'policy', severity: 'error', id: 'connection-no-answer', count })
    expect(observed.diagnosis.findings[0]?.facts).toMatchObject({ address_answers: 'yes' })
    const syns = await countPackets(observed.path, `tcp[tcpflags] == tcp-syn and dst port ${String(ports.tls)}`)
    expect(syns).toBeGreaterThan(count)
    expect(await wire.matched(addressOf('dropped'))).toBe(syns)
  })

  it('is the network where large packets are lost and nothing says so', async () => {
    const observed = await seen['black-hole']
    const count = attempts.blackHole
    expect(verdictOf(observed)).toEqual({ culprit: 'network', severity: 'error', id: 'path-mtu-black-hole', count })
    const headersBytes = 52
    expect(observed.diagnosis.findings[0]?.facts['bytes']).toBeGreaterThan(pathMtuBytes - headersBytes)
  })

  it('is the network where a connection is reset that was idle', async () => {
    const observed = await seen.idle
    expect(observed.written).toContain('200 OK')
    expect(verdictOf(observed)).toEqual({
      culprit: 'network',
      severity: 'error',
      id: 'connection-reset-after-idle',
      count: 1,
    })
    expect(observed.diagnosis.findings[0]?.facts['idle_s']).toBeGreaterThanOrEqual(pauseSeconds - 1)
    expect(await wire.matched(addressOf('idle'))).toBe(1)
  })

  it('is the peer where nothing listens on a port', async () => {
    const observed = await seen.refused
    const count = attempts.refused
    expect(verdictOf(observed)).toEqual({ culprit: 'peer', severity: 'error', id: 'connection-refused', count })
    const resets = `tcp[tcpflags] & tcp-rst != 0 and src port ${String(ports.closed)}`
    expect(await countPackets(observed.path, resets)).toBe(count)
  })

  it('is the peer where the server does not read: its window is 0', async () => {
    const observed = await seen.stalled
    expect(observed.written).toContain('200')
    expect(verdictOf(observed)).toEqual({ culprit: 'peer', severity: 'warning', id: 'receiver-stalled', count: 1 })
    const facts = observed.diagnosis.findings[0]?.facts
    expect(facts).toMatchObject({ who: 'server' })
    expect(facts?.['stalled_s']).toBeGreaterThan(waitMs.read / 4_000)
  })
})
