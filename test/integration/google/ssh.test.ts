// The complete connection to a node: relay, Compute Engine, OS Login and a guest with a real sshd.
// Tested with the real gcloud and with the client of this action.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openIapTunnel } from '../../../src/google/iap/tunnel.ts'
import { openGoogleApis } from '../../../src/google/compute/apis.ts'
import { describeInstance } from '../../../src/google/compute/instance.ts'
import {
  generateLoginKey,
  grantLogin,
  planLogin,
  revokeLogin,
  type LoginRecord,
  type RevokedLogin,
} from '../../../src/google/compute/login.ts'
import { computeSshAdvice } from '../../../src/google/compute/ssh-advice.ts'
import { SshSession } from '../../../src/ssh/session.ts'
import { gcloudLack } from '../../support/gcloud.ts'
import { until } from '../../support/until.ts'
import type { Instance } from '../../sandbox/google/compute.ts'
import { guestLack, startGuest, type Guest, type GuestOptions } from '../../sandbox/google/guest.ts'
import { startRelay, type Relay } from '../../sandbox/google/relay.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { describeWith } from '../../support/needs.ts'

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** The login methods, and the metadata that selects them. */
const logins = [
  ['a key in the metadata', 'metadata', { key: 'block-project-ssh-keys', value: 'TRUE' }],
  ['a key in the OS Login profile', 'os-login', { key: 'enable-oslogin', value: 'TRUE' }],
] as const

/** A command that prints its user and its origin, reads stdin, and returns a specific exit code. */
const question = 'id -un; echo "${SSH_CONNECTION%% *}"; cat; echo "to stderr" >&2; exit 7'
const answer = { code: 7, stdout: 'root\n127.0.0.1\nto stdin\n', stderr: 'to stderr\n' }

describeWith(guestLack, 'a login to a node', () => {
  let folder: string
  let google: GoogleServices
  let instance: Instance
  let guest: Guest
  let relay: Relay

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'google-ssh-'))
    google = await startGoogle({ project: { id: 'demo-project', number: '123456789012' } })
  })
  afterEach(async () => {
    await relay.stop()
    await guest.stop()
    await google.stop()
    rmSync(folder, { recursive: true })
  })

  const boot = async (metadata: { key: string; value: string }, options: GuestOptions = {}): Promise<void> => {
    const published = { key: 'enable-guest-attributes', value: 'TRUE' }
    instance = google.addInstance({ name: 'node-1', zone: 'us-central1-a', metadata: [metadata, published] })
    guest = await startGuest(google.world, instance, { publishesHostKeys: true, ...options })
    relay = await startRelay({
      tls: {},
      backend: ({ instance: name, zone, port }) =>
        name === 'node-1' && zone === 'us-central1-a' && port === 22
          ? { host: '127.0.0.1', port: guest.port }
          : { code: 4047, reason: 'lookup failed' },
      authenticate: (token) => google.identify(token) !== undefined,
    })
  }
  const issued = (): string => google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300)
  const letIn = (): string[] => [...guest.keys().values()].flat()
  const keysInProfile = (): unknown[] =>
    [...google.world.osLogin.profiles.values()].flatMap(({ keys }) => [...keys.keys()])
  const operations = (): unknown[] => relay.calls.map(({ operation, outcome }) => [operation, outcome])

  /** Logs in with the client of this action, runs `use`, then revokes the key. */
  async function withOwnClient(
    use: (session: SshSession, record: LoginRecord) => Promise<void>,
  ): Promise<RevokedLogin> {
    const token = (): Promise<{ value: string; expiresAtMs: number }> =>
      Promise.resolve({ value: issued(), expiresAtMs: Date.now() + 300_000 })
    const apis = openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken())
    const node = await describeInstance(apis, { project: 'demo-project', zone: 'us-central1-a', name: 'node-1' })
    const key = generateLoginKey()
    const record = planLogin(node, google.serviceAccount, key)
    const { user } = await grantLogin(apis, { instance: node, key, record, expires: new Date(Date.now() + 600_000) })
    const target = { project: node.project, zone: node.zone, instance: node.name, interface: node.interface, port: 22 }
    const session = new SshSession({
      connect: () =>
        openIapTunnel(target, {
          url: relay.url,
          token: () => Promise.resolve(issued()),
          certificateAuthority: relay.certificate,
        }),
      user,
      privateKey: key.privateKey,
      hostKeys: node.hostKeys,
      loginPatienceMs: 10_000,
      advice: computeSshAdvice,
    })
    try {
      await use(session, record)
    } finally {
      session.close()
    }
    return revokeLogin(apis, record)
  }

  it.each(logins)(
    'the client of this action runs a command through the relay, by %s, and leaves no key',
    async (_what, kind, metadata) => {
      google.world.osLogin.username = 'sa_capture'
      await boot(metadata, { propagation: 1_500 })
      const before = JSON.stringify(instance.metadata)
      const revoked = await withOwnClient(async (session, record) => {
        expect(record.kind).toBe(kind)
        expect(await session.run(['sh', '-c', question], { stdin: 'to stdin\n' })).toEqual(answer)
        expect(session).toMatchObject({ hostKey: guest.hostKey, isHostKeyPinned: false })
        // The tunnel resumes after the broken connection: there is still only one login.
        const far = session.run(['sh', '-c', 'head -c 4000000 /dev/zero | tr "\\0" x'], { maxOutputBytes: 8_000_000 })
        await until('the first bytes', () => relay.down > 500_000)
        expect(relay.cut()).toBe(1)
        expect((await far).stdout).toBe('x'.repeat(4_000_000))
        expect(letIn()).toEqual([record.publicKey])
      })
      const user = kind === 'metadata' ? 'gha-capture' : 'sa_capture'
      expect(revoked).toEqual({
        isKeyRemoved: true,
        leftovers: kind === 'metadata' ? ['the account gha-capture on the node node-1, without a key'] : [],
      })
      expect(guest.log().match(new RegExp(`Accepted publickey for ${user} from`, 'g'))).toHaveLength(1)
      expect(operations()).toContainEqual(['reconnect', 'open'])
      await until('no key in the guest', () => letIn().length === 0)
      expect(JSON.stringify(instance.metadata)).toBe(before)
      expect(keysInProfile()).toEqual([])
      await until('the end of every connection', () => relay.connections === 0)
    },
    30_000,
  )

  describeWith(gcloudLack, 'the real gcloud', () => {
    /** Runs `gcloud compute ssh` until it ends. */
    async function gcloud(command: string): Promise<Outcome> {
      const args = [
        ...['compute', 'ssh', 'someone@node-1', '--zone=us-central1-a', '--tunnel-through-iap'],
        ...[`--iap-tunnel-url-override=${relay.url}`, '--iap-tunnel-insecure-disable-websocket-cert-check'],
        ...[`--ssh-key-file=${join(folder, 'key')}`, '--ssh-key-expire-after=10m', `--command=${command}`],
      ]
      const child = spawn('gcloud', args, {
        stdio: 'pipe',
        env: {
          ...{ PATH: process.env['PATH'], HOME: folder, CLOUDSDK_CONFIG: join(folder, 'gcloud') },
          ...{ CLOUDSDK_CORE_PROJECT: 'demo-project', CLOUDSDK_CORE_ACCOUNT: google.serviceAccount },
          ...{ CLOUDSDK_CORE_DISABLE_PROMPTS: '1', CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1' },
          ...{ CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1', CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false' },
          ...{ CLOUDSDK_AUTH_ACCESS_TOKEN: issued(), ...google.envWithoutIdToken() },
        },
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      child.stdin.on('error', () => undefined)
      child.stdin.end('to stdin\n')
      const timer = setTimeout(() => child.kill('SIGKILL'), 90_000)
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', resolve)
      })
      clearTimeout(timer)
      return { code, stdout, stderr }
    }

    beforeEach(() => {
      const pair = generateLoginKey() // gcloud would create a key and print that on stdout
      writeFileSync(join(folder, 'key'), pair.privateKey, { mode: 0o600 })
      writeFileSync(join(folder, 'key.pub'), `${pair.publicKey} someone\n`)
    })

    it.each(logins)(
      'runs a command through the relay, by %s; its key is kept when this action revokes its own',
      async (_what, kind, metadata) => {
        google.world.osLogin.username = 'sa_capture'
        await boot(metadata)
        const { stderr, ...rest } = await gcloud(question)
        expect(rest).toEqual({ code: answer.code, stdout: answer.stdout })
        expect(stderr).toContain('Writing 1 keys to') // the host key that the guest has published
        expect(stderr).toContain(answer.stderr)
        const user = kind === 'metadata' ? 'someone' : 'sa_capture'
        expect(guest.log()).toContain(`Accepted publickey for ${user} from 127.0.0.1`)
        expect(operations()).toContainEqual(['connect', 'open'])
        expect(relay.calls.every(({ target }) => target?.interface === 'nic0')).toBe(true)

        const [before, theirs] = [JSON.stringify(instance.metadata), letIn()]
        expect(theirs).toHaveLength(1)
        await withOwnClient(async (session) => {
          expect(await session.run(['sh', '-c', question], { stdin: 'to stdin\n' })).toEqual(answer)
          expect(letIn()).toHaveLength(2)
        })
        expect(letIn()).toEqual(theirs)
        expect(JSON.stringify(instance.metadata)).toBe(before)
      },
      120_000,
    )

    it('reports the message of the relay for a port without a listener', async () => {
      await boot(logins[1][2])
      relay.faults.refusals.push({ on: 'connect', refusal: { code: 4003, reason: 'failed to connect to backend' } })
      const { code, stderr } = await gcloud('true')
      expect(code).not.toBe(0)
      expect(stderr).toMatch(/4003.*failed to connect to backend/i)
    }, 120_000)
  })
})
