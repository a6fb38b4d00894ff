// The state that main saves for post, and how post uses it: complete runs on a node over SSH.

import { jest } from '@jest/globals'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newCaptureId } from '../../../src/capture/plan.ts'
import type { CaptureMethod, CaptureRecord } from '../../../src/capture/record.ts'
import { generateLoginKey, type LoginRecord } from '../../../src/google/compute/login.ts'
import { finishRun } from '../../../src/app/post.ts'
import { run } from '../../../src/app/run.ts'
import { parsePointer } from '../../../src/app/saved-state.ts'
import { StateKeeper, type Phase, type StatePointer } from '../../../src/app/state.ts'
import { guestLack } from '../../sandbox/google/guest.ts'
import { openSshNode, type SshNode } from '../capture/recorders/ssh-node.ts'
import { recordFor } from '../../support/target.ts'
import { startServer, status, type Server } from '../../support/api-server.ts'
import { describeWith } from '../../support/needs.ts'
import { issueToken } from '../../sandbox/results/token.ts'

describeWith(guestLack, 'a run by SSH', () => {
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
      ACTIONS_RESULTS_URL: 'http://127.0.0.1:1/',
      ACTIONS_RUNTIME_TOKEN: issueToken('none'),
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

  const recordBySsh = (method: CaptureMethod): CaptureRecord =>
    recordFor({ captureId: newCaptureId('octo/shop'), method, folder: node.folder })

  /** The state that post gets from a main that reached `phase`. */
  const stateAt = (phase: Phase, record: CaptureRecord): StatePointer => {
    const state = new StateKeeper(node.folder, [{ recorder: { record }, hints: [] }])
    if (phase !== 'begun') state.touching(record)
    state.enter(phase)
    const last = readFileSync(file('state'), 'utf8').trim().split('\n').at(-2) ?? ''
    const pointer = parsePointer(last)
    if (!pointer) throw new Error('no state was saved')
    return pointer
  }

  /** A key that main has added. */
  const loginOfMain = (): LoginRecord => {
    const { publicKey } = generateLoginKey()
    const entry = `gha-capture:${publicKey} google-ssh {"userName":"gha-capture","expireOn":"2100-01-01T00:00:00+0000"}`
    node.instance.metadata.push({ key: 'ssh-keys', value: entry })
    return { kind: 'metadata', project: 'demo-project', zone: 'us-central1-a', instance: 'node-1', publicKey }
  }

  it('saves for post that the node may have files before it creates them, and that it has none after clean-up', async () => {
    await expect(run(new AbortController().signal)).rejects.toThrow(/^interface: tcpdump cannot record on "nosuch0"/)
    const saved = readFileSync(file('state'), 'utf8')
    const phases = [...saved.matchAll(/"phase":"(\w+)"/g)].map(([, phase]) => phase)
    // The recorder may still run when the start looks at it: tcpdump fails a moment later.
    expect([...new Set(phases)].filter((phase) => phase !== 'recording')).toEqual(['begun', 'starting', 'done'])
    expect(saved.trim().split('\n').at(-2)).toContain('"captureIds":[]')
    expect(log).not.toContain('Not removed')
    expect(node.keys()).toEqual([])
  })

  it('that is killed before it changes the node makes post revoke the key and do nothing else', async () => {
    const where = { kind: 'ssh', login: loginOfMain(), whole: false } as const
    const record = recordBySsh(where)
    await finishRun(stateAt('begun', record))
    expect(node.keys()).toEqual([])
    expect(node.relay.calls).toEqual([])
    expect(log).toContain('(the node was not touched)')
    expect(readFileSync(file('summary'), 'utf8')).toBe('')
  })

  it('is finished by post when the API server is unreachable', async () => {
    const login = loginOfMain()
    const where = { kind: 'ssh', login, whole: false } as const
    const record = recordBySsh(where)
    unlinkSync(file('kubeconfig'))
    await finishRun(stateAt('recording', record))
    expect(log).toContain('is not there (the node has no files of the capture')
    expect(node.keys()).toEqual([])
  })

  it('reports what is not removed when Google is unreachable, too', async () => {
    const where = { kind: 'ssh', login: loginOfMain(), whole: false } as const
    const record = recordBySsh(where)
    unlinkSync(file('kubeconfig'))
    unlinkSync(file('google'))
    await finishRun(stateAt('recording', record))
    expect(readFileSync(file('summary'), 'utf8')).toContain('the SSH key of this run')
  })
})
