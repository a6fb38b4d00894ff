// What a recorder on a node does to the node, by the real sshd behind the relay; of Google's side there are the fakes.

import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerName } from '../../../src/capture/container.ts'
import { planNodeLogin, sshRecorder, type NodeAccess, type PlannedLogin } from '../../../src/capture/node-ssh.ts'
import { recordOf, type CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents, Recorder } from '../../../src/capture/recorder.ts'
import type { GoogleTokenSource } from '../../../src/google/identity.ts'
import { openGoogleApis } from '../../../src/google/instance.ts'
import { guestMissing } from '../../sandbox/google/guest.ts'
import { until } from '../until.ts'
import { openSshNode, type SshNode } from './ssh-node.ts'
import { plan, target } from './target.ts'

const here = guestMissing === undefined ? describe : describe.skip
here(`a recorder on a node, by SSH${guestMissing === undefined ? '' : ` (skipped: ${guestMissing})`}`, () => {
  let node: SshNode
  let access: NodeAccess
  let planned: PlannedLogin
  let record: CaptureRecord
  /** not cleared yet */
  let recorders: Set<Recorder>
  /** the run folder of the capture, where the recorder lays it out */
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
    token: () => Promise.resolve({ value: token, expires: Date.now() + 300_000 }),
    refused: (value) => {
      refused.push(value)
      if (value === token) token = issued()
    },
    member: () => undefined,
  })
  const events: CaptureEvents = {
    touching: () => told.push('touching'),
    made: (what) => told.push(what),
    caution: () => undefined,
    waiting: () => undefined,
    listening: () => undefined,
    interrupted: () => undefined,
    foreign: () => undefined,
  }
  const start = (recorder: Recorder): Promise<string> => recorder.start(events, new AbortController().signal)
  const opened = (recorder: Recorder): Recorder => {
    recorders.add(recorder)
    return recorder
  }
  const clear = (recorder: Recorder): ReturnType<Recorder['clear']> => {
    recorders.delete(recorder)
    return recorder.clear()
  }
  const ofMain = (): Recorder => opened(sshRecorder(access, record, planned.login, planned))
  const ofPost = (mayBeThere = true): Recorder =>
    opened(sshRecorder(access, record, planned.login, undefined, { mayBeThere }))

  beforeEach(async () => {
    ;[recorders, refused, told] = [new Set(), [], []]
    node = await openSshNode()
    token = issued()
    const source = tokens()
    const apis = openGoogleApis(source, node.google.envWithoutIdToken(), () => Promise.resolve())
    access = { google: source, apis, relay: node.relay.url }
    planned = await planNodeLogin(access, { project: 'demo-project', zone: 'us-central1-a', name: 'node-1' })
    const where = { kind: 'ssh', login: planned.login, whole: false } as const
    // A recorder that ends at once, by itself.
    record = recordOf(target(), containerName('octo/shop'), plan({ interface: 'nosuch0' }), '/x', Date.now(), where)
    run = join(node.folder, 'tmp', `${record.container}.run`)
  })
  afterEach(async () => {
    await Promise.all([...recorders].map(clear))
    await node.close()
  })

  it('comes with a token made anew after the relay has asked for one (4004), and only then', async () => {
    const { place } = ofMain()
    await expect(place.state()).resolves.toMatchObject({ kind: 'gone' })
    node.relay.cut()
    await until('the same token again', () => node.relay.calls[1]?.token)
    await expect(place.state()).resolves.toMatchObject({ kind: 'gone' })
    expect(refused).toEqual([])
    node.relay.cut(4004)
    await until('another token', () => node.relay.calls[2]?.token)
    await expect(place.state()).resolves.toMatchObject({ kind: 'gone' })
    const [first, second, third] = node.relay.calls.map(({ token: given }) => given)
    expect(refused).toEqual([first])
    expect([second === first, third === first, third === token]).toEqual([true, false, true])
  })

  it('comes with a token made anew after the relay has refused one (401)', async () => {
    const { place } = ofMain()
    await expect(place.state()).resolves.toMatchObject({ kind: 'gone' })
    const first = token
    node.relay.faults.refusals.push({ on: 'reconnect', refusal: { status: 401 } })
    node.relay.cut()
    await until('another token', () => node.relay.calls[2]?.token)
    expect(refused).toEqual([first])
    expect(node.relay.calls[2]?.token).not.toBe(first)
  })

  it('does not ask for the right to the tunnel, which a condition hides; for every other right it does', async () => {
    node.google.world.denied.add('iap.tunnelInstances.accessViaIAP')
    await expect(ofMain().check()).resolves.toContainEqual(
      'Tunnel: Google does not say that iap.tunnelInstances.accessViaIAP is granted (roles/iap.tunnelResourceAccessor); the relay takes it all the same',
    )
    node.google.world.denied.add('compute.instances.setMetadata')
    const error: unknown = await ofMain()
      .check()
      .catch((reason: unknown) => reason)
    expect(String(error)).toMatch(/setMetadata on [^]*Nothing was created|Nothing was created[^]*setMetadata on /)
    expect(String(error)).toContain('docs/terraform/node/main.tf has the roles')
  })

  it('is tried before anything is made: IAP, firewall and sshd', async () => {
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
    ['lets nobody become root', () => node.account(65_534, '/bin/sh'), /may not become root/],
  ])('says of a node that %s so, and has touched nothing', async (_what, prepare, words) => {
    prepare()
    const recorder = ofMain()
    await expect(start(recorder)).rejects.toThrow(words)
    expect(told).not.toContain('touching')
    expect((await clear(recorder)).remains).toEqual(['the account gha-capture on the node node-1, without a key'])
    expect(node.keys()).toEqual([])
  })

  const noisy = '#!/bin/sh\necho Welcome; echo connection lost 3 times; echo state of the art; exec /bin/sh "$@"\n'

  it("lies in one folder that is root's alone, all that runs is found by its name, and nothing stays", async () => {
    // Its own connection is left out of a capture of the whole node, whatever the login shell has to say before.
    writeFileSync(join(node.folder, 'lib', 'shell'), noisy, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    record = { ...record, where: { kind: 'ssh', login: planned.login, whole: true } }
    const recorder = ofMain()
    await expect(start(recorder)).rejects.toThrow(/^interface: tcpdump cannot record on "nosuch0" on the node/)
    expect(told.map((what) => what.slice(0, 20))).toEqual(['Added an SSH key to ', 'touching', 'Started the recorder'])
    expect([readdirSync(join(node.folder, 'tmp')), readdirSync(join(node.folder, 'lib'))]).toEqual([
      [`${record.container}.run`],
      ['shell'],
    ])
    expect({ mode: statSync(run).mode & 0o777, owner: statSync(run).uid }).toEqual({ mode: 0o700, owner: 0 })
    const parameters = readFileSync(join(run, 'parameters'), 'utf8')
    const root = /^CAPTURE_ROOT=(.*)$/m.exec(parameters)?.[1]
    expect(root).toBe(`/var/tmp/${record.container}.run`)
    const filter = /^CAPTURE_FILTER=(.*)$/m.exec(parameters)?.[1]
    expect(filter).toContain(`not (tcp port ${String(node.guest.port)} and (host 127.0.0.1 or net `)
    expect(recorder.place.spools).toContain(`${String(root)}/${record.container}`)
    const found = [...node.guest.processes()].filter(([, line]) => line.startsWith('sh outside'))
    expect(found).toHaveLength(1)
    for (const [pid] of found) {
      expect(readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0')).toContain(
        `CAPTURE_NAME=${record.container}`,
      )
    }
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    expect(readdirSync(join(node.folder, 'tmp'))).toEqual([])
    await until('no process', () => node.guest.processes().size === 0)
  })

  it('leaves a folder of its name to whoever has laid it there: nothing of it is used, believed or removed', async () => {
    mkdirSync(join(run, record.container), { recursive: true })
    for (const [name, text] of [
      ['words', 'size 1'],
      ['ended', '0'],
    ] as const)
      writeFileSync(join(run, name), text)
    chownSync(run, 65_534, 65_534)
    const recorder = ofMain()
    await expect(start(recorder)).rejects.toThrow(/^level: the node node-1 takes no folder in \/var\/tmp: /)
    await expect(recorder.place.state()).resolves.toMatchObject({ kind: 'gone' })
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    expect(readdirSync(run).sort()).toEqual(['ended', record.container, 'words'])
    expect(readdirSync(join(run, record.container))).toEqual([])
  })

  it('tells how it is whatever the login shell has to say before', async () => {
    writeFileSync(join(node.folder, 'lib', 'shell'), noisy, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    const { place } = ofPost()
    await expect(place.state()).resolves.toMatchObject({ kind: 'gone' })
    mkdirSync(run)
    writeFileSync(join(run, 'pid'), `${String(process.pid)}\n`)
    await expect(place.state()).resolves.toEqual({ kind: 'running', imageId: '' })
    writeFileSync(join(run, 'words'), 'size 24\nstate lost\n')
    writeFileSync(join(run, 'ended'), '0\n')
    await expect(place.state()).resolves.toMatchObject({ kind: 'terminated', message: 'size 24\nstate lost' })
    // However much it says: the state of the run has no room for a megabyte.
    writeFileSync(join(run, 'words'), `size 24\n${'x'.repeat(500_000)}`)
    const { message } = (await place.state()) as { message: string }
    expect(message).toBe(`size 24\n${'x'.repeat(4_088)}`)
    rmSync(run, { recursive: true })
    writeFileSync(join(node.folder, 'lib', 'shell'), '#!/bin/sh\necho This account is not available.\n')
    await expect(place.state()).resolves.toMatchObject({ kind: 'unknown' })
  })

  it('says in a few words why the clean-up does not do', async () => {
    const loud = '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" x >&2\nexit 1\n'
    writeFileSync(join(node.folder, 'lib', 'shell'), loud, { mode: 0o755 })
    node.account(0, '/var/lib/shell')
    const { remains } = await clear(ofPost())
    expect(remains[0]).toMatch(
      /^what the recorder has on the node, until it ends by itself after 60 s and removes it: x+$/,
    )
    expect(remains.join().length).toBeLessThan(1_000)
  })

  it('ends a follower whose client is gone with everything else of the capture', async () => {
    const recorder = ofPost()
    let said = ''
    const command = await recorder.place.open(['sh', '-c', 'echo on its way; exec sleep 20'], {
      stdout: (chunk) => void (said += chunk.toString()),
      stderr: () => undefined,
    })
    await until('the follower', () => said === 'on its way\n')
    const runs = (): boolean => [...node.guest.processes().values()].includes('sleep 20')
    expect(runs()).toBe(true)
    await expect(clear(recorder)).resolves.toMatchObject({ unfinished: false })
    await command.ended
    await until('no follower', () => !runs(), 3_000)
  })

  describe('in post', () => {
    it("takes main's key away before it lets one of its own in, and both in the end", async () => {
      const main = ofMain()
      await main.place.state()
      expect(node.keysThen).toEqual([[expect.stringContaining(planned.login.publicKey)]])
      const recorder = ofPost()
      await expect(recorder.place.state()).resolves.toMatchObject({ kind: 'gone' })
      expect(node.keysThen[1]).toEqual([expect.stringMatching(/^gha-capture:ssh-ed25519 \S+ google-ssh/)])
      expect(node.keysThen[1]?.join()).not.toContain(planned.login.publicKey)
      await clear(recorder)
      expect(node.keys()).toEqual([])
    })

    it('does not log in where the node was never touched, and takes the key away all the same', async () => {
      node.instance.metadata.push({
        key: 'ssh-keys',
        value: `gha-capture:${planned.login.publicKey} google-ssh {"userName":"gha-capture","expireOn":"2100-01-01T00:00:00+0000"}`,
      })
      await expect(clear(ofPost(false))).resolves.toMatchObject({ unfinished: false })
      expect(node.relay.calls).toEqual([])
      expect(node.keys()).toEqual([])
    })
  })
})
