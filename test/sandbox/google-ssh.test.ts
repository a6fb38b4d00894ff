// The whole way into a node: relay, Compute Engine, OS Login and a guest with a real sshd. First under their judge, the real gcloud; then with our own client.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openIapTunnel } from '../../src/google/iap-tunnel.ts'
import { describeInstance, openGoogleApis } from '../../src/google/instance.ts'
import {
  generateLoginKey,
  grantLogin,
  planLogin,
  revokeLogin,
  type LoginRecord,
  type Revoked,
} from '../../src/google/login.ts'
import { openSsh, type SshSession } from '../../src/google/ssh.ts'
import { gcloudMissing } from '../e2e/gcloud.ts'
import { until } from '../unit/until.ts'
import type { Instance } from './google/compute.ts'
import { guestMissing, startGuest, type Guest, type GuestOptions } from './google/guest.ts'
import { startRelay, type Relay } from './google/relay.ts'
import { startGoogle, type GoogleServices } from './google/start.ts'

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** How the node is entered, and what decides that. */
const logins = [
  ['a key in the metadata', 'metadata', { key: 'block-project-ssh-keys', value: 'TRUE' }],
  ['a key in the OS Login profile', 'os-login', { key: 'enable-oslogin', value: 'TRUE' }],
] as const

/** Says who it is and where it came from; reads stdin; its code is its own. */
const question = 'id -un; echo "${SSH_CONNECTION%% *}"; cat; echo "to stderr" >&2; exit 7'
const answer = { code: 7, stdout: 'root\n127.0.0.1\nto stdin\n', stderr: 'to stderr\n' }

const here = guestMissing === undefined ? describe : describe.skip
here(`the whole way into a node${guestMissing === undefined ? '' : ` SKIPPED: ${guestMissing}`}`, () => {
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

  /** Our own way in, until `use` has ended; then the key is taken away. */
  async function withOwnClient(use: (session: SshSession, record: LoginRecord) => Promise<void>): Promise<Revoked> {
    const token = (): Promise<{ value: string; expires: number }> =>
      Promise.resolve({ value: issued(), expires: Date.now() + 300_000 })
    const apis = openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken())
    const node = await describeInstance(apis, { project: 'demo-project', zone: 'us-central1-a', name: 'node-1' })
    const key = generateLoginKey()
    const record = planLogin(node, google.serviceAccount, key)
    const { user } = await grantLogin(apis, node, key, record, new Date(Date.now() + 600_000))
    const target = { project: node.project, zone: node.zone, instance: node.name, interface: node.interface, port: 22 }
    const session = openSsh({
      connect: () =>
        openIapTunnel(target, {
          url: relay.url,
          token: () => Promise.resolve(issued()),
          certificateAuthority: relay.certificate,
        }),
      user,
      privateKey: key.privateKey,
      hostKeys: node.hostKeys,
      patience: 10_000,
    })
    try {
      await use(session, record)
    } finally {
      session.close()
    }
    return revokeLogin(apis, record)
  }

  it.each(logins)(
    'our own client runs a command through the relay, by %s, and leaves no key',
    async (_what, kind, metadata) => {
      google.world.osLogin.username = 'sa_capture'
      await boot(metadata, { propagation: 1_500 })
      const before = JSON.stringify(instance.metadata)
      const revoked = await withOwnClient(async (session, record) => {
        expect(record.kind).toBe(kind)
        expect(await session.run(['sh', '-c', question], { stdin: 'to stdin\n' })).toEqual(answer)
        expect(session).toMatchObject({ hostKey: guest.hostKey, pinned: false })
        // The tunnel goes on where it was cut: the login is still the first one.
        const far = session.run(['sh', '-c', 'head -c 4000000 /dev/zero | tr "\\0" x'], { maxOutput: 8_000_000 })
        await until('bytes on their way', () => relay.down > 500_000)
        expect(relay.cut()).toBe(1)
        expect((await far).stdout).toBe('x'.repeat(4_000_000))
        expect(letIn()).toEqual([record.publicKey])
      })
      const user = kind === 'metadata' ? 'gha-capture' : 'sa_capture'
      expect(revoked).toEqual({
        gone: true,
        remains: kind === 'metadata' ? ['the account gha-capture on the node node-1, without a key'] : [],
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

  const judge = gcloudMissing.length === 0 ? describe : describe.skip
  judge(
    `the real gcloud${gcloudMissing.length === 0 ? '' : ` SKIPPED: ${gcloudMissing.join(' and ')} not in PATH`}`,
    () => {
      /** `gcloud compute ssh` to its end. */
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
        const pair = generateLoginKey() // in place of one of gcloud's, which it makes with much ado on stdout
        writeFileSync(join(folder, 'key'), pair.privateKey, { mode: 0o600 })
        writeFileSync(join(folder, 'key.pub'), `${pair.publicKey} someone\n`)
      })

      it.each(logins)(
        'runs a command through the relay, by %s; its key stays when ours goes',
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

      it('says what the relay says of a port that nobody listens on', async () => {
        await boot(logins[1][2])
        relay.faults.refusals.push({ on: 'connect', refusal: { code: 4003, reason: 'failed to connect to backend' } })
        const { code, stderr } = await gcloud('true')
        expect(code).not.toBe(0)
        expect(stderr).toMatch(/4003.*failed to connect to backend/i)
      }, 120_000)
    },
  )
})
