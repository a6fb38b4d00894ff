// What main saves for post, and what post does with it: of a node that is entered by SSH, in whole runs.

import { jest } from '@jest/globals'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerName } from '../../src/capture/container.ts'
import { recordOf, type CaptureRecord } from '../../src/capture/record.ts'
import { generateLoginKey, type LoginRecord } from '../../src/google/login.ts'
import { finishRun, run } from '../../src/run.ts'
import { guestMissing } from '../sandbox/google/guest.ts'
import { openSshNode, type SshNode } from './capture/ssh-node.ts'
import { plan, target } from './capture/target.ts'
import { startServer, status, type Server } from './cluster/server.ts'

const here = guestMissing === undefined ? describe : describe.skip
here(`a run by SSH${guestMissing === undefined ? '' : ` (skipped: ${guestMissing})`}`, () => {
  let node: SshNode
  let server: Server
  let log: string
  let before: NodeJS.ProcessEnv
  const file = (name: string): string => join(node.folder, name)

  beforeEach(async () => {
    before = { ...process.env }
    ;[node, server] = await Promise.all([openSshNode(), startServer({ tls: 'address' })])
    server.answer = ({ path }) => {
      const spec = { providerID: 'gce://demo-project/us-central1-a/node-1' }
      if (path === '/api/v1/nodes/node-1') return { status: 200, body: { spec } }
      if (path.endsWith('/selfsubjectreviews'))
        return { status: 201, body: { status: { userInfo: { username: 'octo-dev' } } } }
      if (path.endsWith('/selfsubjectaccessreviews')) return { status: 201, body: { status: { allowed: true } } }
      if (path !== '/api/v1/namespaces/shop/pods/web-1') return { status: 404, body: status('NotFound', 'no') }
      const pod = { spec: { nodeName: 'node-1' }, status: { phase: 'Running', podIPs: [{ ip: '10.0.0.5' }] } }
      return { status: 200, body: { metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-1' }, ...pod } }
    }
    const cluster = {
      server: server.url,
      'certificate-authority-data': Buffer.from(server.certificate).toString('base64'),
    }
    const kubeconfig = {
      clusters: [{ name: 'one', cluster }],
      users: [{ name: 'one', user: { token: 't0ken' } }],
      contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
      'current-context': 'one',
    }
    writeFileSync(file('kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
    const { google } = node
    writeFileSync(file('google'), JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })))
    for (const name of ['state', 'output', 'summary']) writeFileSync(file(name), '')
    const inputs = {
      POD: 'web-1',
      NAMESPACE: 'shop',
      LEVEL: 'node',
      INTERFACE: 'nosuch0',
      KUBECONFIG: file('kubeconfig'),
    }
    for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name}`] = value
    Object.assign(process.env, google.env(), {
      'INPUT_NODE-METHOD': 'ssh',
      GOOGLE_APPLICATION_CREDENTIALS: file('google'),
      IAP_TUNNEL_URL_OVERRIDE: node.relay.url,
      RUNNER_TEMP: node.folder,
      GITHUB_REPOSITORY: 'octo/shop',
      GITHUB_STATE: file('state'),
      GITHUB_OUTPUT: file('output'),
      GITHUB_STEP_SUMMARY: file('summary'),
    })
    log = ''
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      log += String(text)
      return true
    })
  })
  afterEach(async () => {
    jest.restoreAllMocks()
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
    await node.close()
    await server.stop()
  })

  /** A key that main has let in. */
  const loginOfMain = (): LoginRecord => {
    const { publicKey } = generateLoginKey()
    const entry = `gha-capture:${publicKey} google-ssh {"userName":"gha-capture","expireOn":"2100-01-01T00:00:00+0000"}`
    node.instance.metadata.push({ key: 'ssh-keys', value: entry })
    return { kind: 'metadata', project: 'demo-project', zone: 'us-central1-a', instance: 'node-1', publicKey }
  }

  it('tells post that something may be on the node before it is, and that nothing is once it has been removed', async () => {
    await expect(run(new AbortController().signal)).rejects.toThrow(/^interface: tcpdump cannot record on "nosuch0"/)
    const saved = readFileSync(file('state'), 'utf8')
    expect([...saved.matchAll(/"phase":"(\w+)"/g)].map(([, phase]) => phase)).toEqual(['begun', 'starting', 'done'])
    expect(log).not.toContain('Left behind: what')
    expect(node.keys()).toEqual([])
  })

  it('that was killed before it touched the node takes post nowhere near it: the key goes, and that is all', async () => {
    const where = { kind: 'ssh', login: loginOfMain(), whole: false } as const
    const record: CaptureRecord = recordOf(
      target(),
      containerName('octo/shop'),
      plan(),
      file('x.pcap'),
      Date.now(),
      where,
    )
    await finishRun({ phase: 'begun', captures: [{ record, imageId: '', result: undefined }], hints: [] })
    expect(node.keys()).toEqual([])
    expect(node.relay.calls).toEqual([])
    expect(log).toContain('The node was not touched.')
    expect(readFileSync(file('summary'), 'utf8')).toBe('')
  })

  it('is finished by post without the cluster, whose door may be shut by then', async () => {
    const login = loginOfMain()
    const where = { kind: 'ssh', login, whole: false } as const
    const record = recordOf(target(), containerName('octo/shop'), plan(), file('x.pcap'), Date.now(), where)
    unlinkSync(file('kubeconfig'))
    await finishRun({ phase: 'recording', captures: [{ record, imageId: '', result: undefined }], hints: [] })
    expect(log).toContain('is not there (the node has nothing of the capture')
    expect(node.keys()).toEqual([])
  })

  it('names what stays where Google cannot be asked either', async () => {
    const where = { kind: 'ssh', login: loginOfMain(), whole: false } as const
    const record = recordOf(target(), containerName('octo/shop'), plan(), file('x.pcap'), Date.now(), where)
    unlinkSync(file('kubeconfig'))
    unlinkSync(file('google'))
    await finishRun({ phase: 'recording', captures: [{ record, imageId: '', result: undefined }], hints: [] })
    expect(readFileSync(file('summary'), 'utf8')).toContain('the SSH key of this run')
  })
})
