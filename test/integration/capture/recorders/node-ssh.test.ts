// The effects of a recorder on a node, with a real sshd behind the fake relay and the fake Google services.

import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newCaptureId } from '../../../../src/capture/plan.ts'
import { GoogleNodeAccess } from '../../../../src/app/google-node-access.ts'
import type { NodeLogin } from '../../../../src/capture/recorders/ssh/access.ts'
import { methodOf } from '../../../../src/capture/recorders/methods.ts'
import { NodeSshRecorder } from '../../../../src/capture/recorders/ssh/recorder.ts'
import type { CaptureRecord } from '../../../../src/capture/record.ts'
import { recorderErrorOf } from '../../../../src/capture/recorders/start-failure.ts'
import type { CaptureEvents, Recorder } from '../../../../src/capture/recorders/recorder.ts'
import type { GoogleTokenSource } from '../../../../src/google/auth/identity.ts'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import { openGoogleApis } from '../../../../src/google/compute/apis.ts'
import type { LoginRecord } from '../../../../src/google/compute/login.ts'
import { guestLack } from '../../../sandbox/google/guest.ts'
import { until } from '../../../support/until.ts'
import { openSshNode, type SshNode } from './ssh-node.ts'
import { plan, recordFor } from '../../../support/target.ts'
import { describeWith } from '../../../support/needs.ts'

const publicKeyOf = ({ saved }: NodeLogin): string => (saved as LoginRecord).publicKey

describeWith(guestLack, 'a recorder on a node, by SSH', () => {
  let node: SshNode
  let access: GoogleNodeAccess
  let planned: NodeLogin
  let record: CaptureRecord
  /** not cleared yet */
  let recorders: Set<Recorder>
  /** the run folder of the capture, created by the recorder */
  let run: string
  let token: string
  let refused: string[]
  let told: string[]

  const issued = (): string => node.google.world.tokens.issue(node.google.serviceAccount, 'ya29.c.', 300)
  const tokens = (): GoogleTokenSource => ({
    ...{
      description: 'capture',
      projectId: undefined,
      universe: 'googleapis.com',
      serviceAccount: node.google.serviceAccount,
    },
    token: () => Promise.resolve({ value: token, expiresAtMs: Date.now() + 300_000 }),
    refused: (value) => {
      refused.push(value)
      if (value === token) token = issued()
    },
    member: () => undefined,
  })
  const events: CaptureEvents = {
    onTouchingNode: () => told.push('touching'),
    onCreated: (what) => told.push(what),
    onCaution: () => undefined,
    onWaiting: () => undefined,
    onListening: () => undefined,
    onReconnecting: () => undefined,
    onRemoteLine: () => undefined,
  }
  const start = (recorder: Recorder): Promise<string | undefined> =>
    recorder.start(events, new AbortController().signal)
  const opened = (recorder: Recorder): Recorder => {
    recorders.add(recorder)
    return recorder
  }
  const clear = (recorder: Recorder): ReturnType<Recorder['cleanUp']> => {
    recorders.delete(recorder)
    return recorder.cleanUp()
  }
  const ofMain = (mayBeThere = false): Recorder => opened(new NodeSshRecorder(access, record, { planned, mayBeThere }))
  const ofPost = (mayBeThere = true): Recorder => opened(new NodeSshRecorder(access, record, { mayBeThere }))

  beforeEach(async () => {
    ;[recorders, refused, told] = [new Set(), [], []]
    node = await openSshNode()
    token = issued()
    const source = tokens()
    const apis = openGoogleApis(source, node.google.envWithoutIdToken(), () => Promise.resolve())
    const env = { IAP_TUNNEL_URL_OVERRIDE: node.relay.url }
    access = new GoogleNodeAccess(source, env, apis)
    planned = await access.planLoginTo({ project: 'demo-project', zone: 'us-central1-a', name: 'node-1' })
    const where = { kind: 'ssh', login: planned.saved, whole: false } as const
    // This recorder ends immediately.
    record = recordFor({ captureId: newCaptureId('octo/shop'), plan: plan({ interface: 'nosuch0' }), method: where })
    run = join(node.folder, 'tmp', `${record.captureId}.run`)
  })
  afterEach(async () => {
    await Promise.all([...recorders].map(clear))
    await node.close()
  })

  it('reconnects with a new token only after the relay asks for one (4004)', async () => {
    const { endpoint } = ofMain(true)
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    node.relay.cut()
    await until('the same token again', () => node.relay.calls[1]?.token)
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    expect(refused).toEqual([])
    node.relay.cut(4004)
    await until('a new token', () => node.relay.calls[2]?.token)
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    const [first, second, third] = node.relay.calls.map(({ token: given }) => given)
    expect(refused).toEqual([first])
    expect([second === first, third === first, third === token]).toEqual([true, false, true])
  })

  it('reconnects with a new token after the relay rejects the old one (401)', async () => {
    const { endpoint } = ofMain(true)
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    const first = token
    node.relay.faults.refusals.push({ on: 'reconnect', refusal: { status: 401 } })
    node.relay.cut()
    await until('a new token', () => node.relay.calls[2]?.token)
    expect(refused).toEqual([first])
    expect(node.relay.calls[2]?.token).not.toBe(first)
  })

  it('requires every permission except the tunnel permission, which an IAM condition can hide', async () => {
    node.google.world.denied.add('iap.tunnelInstances.accessViaIAP')
    await expect(ofMain().check()).resolves.toContainEqual(
      'Tunnel: Google does not report that iap.tunnelInstances.accessViaIAP is granted (roles/iap.tunnelResourceAccessor), but the relay accepts the connection',
    )
    node.google.world.denied.add('compute.instances.setMetadata')
    const error: unknown = await ofMain()
      .check()
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigurationError)
    const [problem] = (error as ConfigurationError).problems
    expect(problem.code).toBe('E_GCE_PERMISSIONS_MISSING')
    expect(problem.details?.join()).toContain('compute.instances.setMetadata on ')
    expect(problem.fix).toContain('docs/terraform/node/main.tf has the roles')
  })

  it('checks IAP, the firewall and sshd before it creates anything', async () => {
    await expect(ofMain().check()).resolves.toContain('Tunnel: the relay reaches port 22 of node-1')
    node.relay.faults.refusals.push({ on: 'connect', refusal: { code: 4003, reason: 'failed to connect to backend' } })
    await expect(ofMain().check()).rejects.toThrow(/firewall/)
    expect(node.keys()).toEqual([])
  })

  it.each<[string, () => void, RegExp]>([
    [
      'has no tcpdump',
      () => node.run('for i in /usr/bin/tcpdump /usr/sbin/tcpdump; do [ ! -e $i ] || mount --bind /dev/null $i; done'),
      /has neither tcpdump nor/,
    ],
    ['does not let the login become root', () => node.account(65_534, '/bin/sh'), /cannot become root/],
  ])('reports a node that %s, and changes nothing on it', async (_what, prepare, pattern) => {
    prepare()
    const recorder = ofMain()
    await expect(start(recorder)).rejects.toThrow(pattern)
    expect(told).not.toContain('touching')
    expect((await clear(recorder)).leftovers).toEqual(['the account gha-capture on the node node-1, without a key'])
    expect(node.keys()).toEqual([])
  })

  const noisy = '#!/bin/sh\necho Welcome; echo connection lost 3 times; echo state of the art; exec /bin/sh "$@"\n'

  /** The recorder may still run when the start looks at it: tcpdump fails a moment later. */
  async function startAndEnd(recorder: Recorder): Promise<never> {
    await start(recorder)
    const state = await until('the recorder has ended', async () => {
      const current = await recorder.endpoint.state()
      return current.kind === 'terminated' ? current : undefined
    })
    throw methodOf(record).explainFailedStart(recorderErrorOf(state.message || state.reason), state.reason)
  }

  it('uses one folder that only root can read, and leaves no files or processes', async () => {
    // A capture of the whole node excludes the connection of the recorder, also when the login shell prints output first.
    writeFileSync(join(node.folder, 'lib', 'shell'), noisy, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    record = { ...record, method: { kind: 'ssh', login: planned.saved, whole: true } }
    const recorder = ofMain()
    await expect(startAndEnd(recorder)).rejects.toThrow(/^interface: tcpdump cannot record on "nosuch0" on the node/)
    expect(told.map((what) => what.slice(0, 20))).toEqual(['Added an SSH key to ', 'touching', 'Started the recorder'])
    expect([readdirSync(join(node.folder, 'tmp')), readdirSync(join(node.folder, 'lib'))]).toEqual([
      [`${record.captureId}.run`],
      ['shell'],
    ])
    expect({ mode: statSync(run).mode & 0o777, owner: statSync(run).uid }).toEqual({ mode: 0o700, owner: 0 })
    const parameters = readFileSync(join(run, 'parameters'), 'utf8')
    const root = /^CAPTURE_ROOT=(.*)$/m.exec(parameters)?.[1]
    expect(root).toBe(`/var/tmp/${record.captureId}.run`)
    const filter = /^CAPTURE_FILTER=(.*)$/m.exec(parameters)?.[1]
    expect(filter).toContain(`not (tcp port ${String(node.guest.port)} and (host 127.0.0.1 or net `)
    expect(recorder.endpoint.spoolDirs).toContain(`${String(root)}/${record.captureId}`)
    const found = [...node.guest.processes()].filter(([, line]) => line.startsWith('sh outside'))
    expect(found).toHaveLength(1)
    for (const [pid] of found) {
      expect(readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0')).toContain(
        `CAPTURE_NAME=${record.captureId}`,
      )
    }
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    expect(readdirSync(join(node.folder, 'tmp'))).toEqual([])
    await until('no process', () => node.guest.processes().size === 0)
  })

  it('does not use, read or delete a folder with its name that another user created', async () => {
    mkdirSync(join(run, record.captureId), { recursive: true })
    for (const [name, text] of [
      ['status', 'size 1'],
      ['ended', '0'],
    ] as const)
      writeFileSync(join(run, name), text)
    chownSync(run, 65_534, 65_534)
    const recorder = ofMain()
    await expect(start(recorder)).rejects.toThrow(/^level: node node-1 cannot create \/var\/tmp\/packet-capture-/)
    await expect(recorder.endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    expect(readdirSync(run).sort()).toEqual(['ended', record.captureId, 'status'])
    expect(readdirSync(join(run, record.captureId))).toEqual([])
  })

  it('reads its state when the login shell prints output first', async () => {
    writeFileSync(join(node.folder, 'lib', 'shell'), noisy, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    const { endpoint } = ofPost()
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
    mkdirSync(run)
    writeFileSync(join(run, 'pid'), `${String(process.pid)}\n`)
    await expect(endpoint.state()).resolves.toEqual({ kind: 'running', imageId: undefined })
    writeFileSync(join(run, 'status'), 'size 24\nstate lost\n')
    writeFileSync(join(run, 'ended'), '0\n')
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'terminated', message: 'size 24\nstate lost' })
    // The output is cut: the state of the run cannot store a megabyte.
    writeFileSync(join(run, 'status'), `size 24\n${'x'.repeat(500_000)}`)
    const { message } = (await endpoint.state()) as { message: string }
    expect(message).toBe(`size 24\n${'x'.repeat(4_088)}`)
    rmSync(run, { recursive: true })
    writeFileSync(join(node.folder, 'lib', 'shell'), '#!/bin/sh\necho This account is not available.\n')
    await expect(endpoint.state()).resolves.toMatchObject({ kind: 'unknown' })
  })

  it('reports the reason of a failed clean-up in one short line', async () => {
    const loud = '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" x >&2\nexit 1\n'
    writeFileSync(join(node.folder, 'lib', 'shell'), loud, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    const { leftovers } = await clear(ofPost())
    expect(leftovers[0]).toMatch(
      /^the recorder's files on node node-1, which it deletes when it ends by itself after 60 s without contact from the runner \(x+\)$/,
    )
    expect(leftovers.join().length).toBeLessThan(1_000)
  })

  it('stops a follower without a client when it stops the capture', async () => {
    const recorder = ofPost()
    let said = ''
    const command = await recorder.endpoint.open(['sh', '-c', 'echo on its way; exec sleep 20'], {
      stdout: (chunk) => void (said += chunk.toString()),
      stderr: () => undefined,
    })
    await until('the follower', () => said === 'on its way\n')
    const runs = (): boolean => [...node.guest.processes().values()].includes('sleep 20')
    expect(runs()).toBe(true)
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    await command.ended
    await until('no follower', () => !runs(), { timeoutMs: 3_000 })
  })

  describe('in post', () => {
    it("revokes main's key before it adds a new key, and revokes the new key at the end", async () => {
      const main = ofMain(true)
      await main.endpoint.state()
      expect(node.keysThen).toEqual([[expect.stringContaining(publicKeyOf(planned))]])
      const recorder = ofPost()
      await expect(recorder.endpoint.state()).resolves.toMatchObject({ kind: 'gone' })
      expect(node.keysThen[1]).toEqual([expect.stringMatching(/^gha-capture:ssh-ed25519 \S+ google-ssh/)])
      expect(node.keysThen[1]?.join()).not.toContain(publicKeyOf(planned))
      await clear(recorder)
      expect(node.keys()).toEqual([])
    })

    it('revokes the key without a login when the node was not changed', async () => {
      node.instance.metadata.push({
        key: 'ssh-keys',
        value: `gha-capture:${publicKeyOf(planned)} google-ssh {"userName":"gha-capture","expireOn":"2100-01-01T00:00:00+0000"}`,
      })
      await expect(clear(ofPost(false))).resolves.toMatchObject({ unfinished: false })
      expect(node.relay.calls).toEqual([])
      expect(node.keys()).toEqual([])
    })
  })
})
