// Tests the fakes of Compute Engine, OS Login and an instance's guest with the real gcloud and the real OpenSSH.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openGoogleApis, type GoogleApis } from '../../../src/google/compute/apis.ts'
import { describeInstance } from '../../../src/google/compute/instance.ts'
import {
  generateLoginKey,
  grantLogin,
  planLogin,
  revokeLogin,
  type LoginKey,
} from '../../../src/google/compute/login.ts'
import { keyEntry } from '../../../src/google/compute/metadata-key.ts'
import { gcloudLack } from '../../support/gcloud.ts'
import { until } from '../../support/until.ts'
import type { Instance } from '../../sandbox/google/compute.ts'
import { guestLack, startGuest, type Guest, type GuestOptions } from '../../sandbox/google/guest.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { describeWith, skipped } from '../../support/needs.ts'

let folder: string
let google: GoogleServices
let guests: Guest[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'compute-'))
  google = await startGoogle()
  guests = []
})
afterEach(async () => {
  await Promise.all(guests.map((guest) => guest.stop()))
  await google.stop()
  rmSync(folder, { recursive: true })
})

const issued = (): string => google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300)
const value = (instance: Instance, key: string): string | undefined =>
  instance.metadata.find((item) => item.key === key)?.value
const boot = async (instance: Instance, options?: GuestOptions): Promise<Guest> => {
  const guest = await startGuest(google.world, instance, options)
  guests.push(guest)
  return guest
}

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

async function run(command: string, args: readonly string[], env: Record<string, string>): Promise<Outcome> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearTimeout(timer)
  return { code, stdout, stderr }
}

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNDDSLYWhhh5c/EmWslXxMD/2Io32POTA14rmKAf/Wf'

describeWith(gcloudLack, 'the real gcloud', () => {
  const gcloud = (...args: string[]): Promise<Outcome> =>
    run('gcloud', args, {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      CLOUDSDK_CONFIG: join(folder, 'gcloud'),
      CLOUDSDK_CORE_PROJECT: 'shop-prod',
      CLOUDSDK_CORE_ACCOUNT: google.serviceAccount,
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
      CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
      CLOUDSDK_AUTH_ACCESS_TOKEN: issued(),
      ...google.envWithoutIdToken(),
    })
  const named = (instance: Instance): string[] => [instance.name, `--zone=${instance.zone}`]

  it('reads an instance with all of its metadata', async () => {
    const instance = google.addInstance()
    const { code, stdout } = await gcloud('compute', 'instances', 'describe', ...named(instance), '--format=json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      id: instance.id,
      name: instance.name,
      metadata: {
        items: expect.arrayContaining([{ key: 'kube-env', value: value(instance, 'kube-env') }]) as unknown,
      },
    })
    const unknown = await gcloud('compute', 'instances', 'describe', 'other', `--zone=${instance.zone}`)
    expect(unknown.stderr).toContain('was not found')
  }, 30_000)

  it('adds metadata, waits for the operation, and changes no other metadata', async () => {
    const instance = google.addInstance()
    const before = structuredClone(instance.metadata)
    const added = await gcloud('compute', 'instances', 'add-metadata', ...named(instance), '--metadata=color=blue')
    expect(added).toMatchObject({ code: 0 })
    const kept = instance.metadata.filter((item) => item.key !== 'color')
    // gcloud sorts them
    expect(kept).toEqual(before.toSorted((one, other) => one.key.localeCompare(other.key)))
    expect(value(instance, 'color')).toBe('blue')
    expect(google.count('compute.zoneOperations.wait')).toBeGreaterThan(0)
  }, 30_000)

  it('gets an error when the metadata has changed since it was read', async () => {
    const instance = google.addInstance()
    google.world.compute.races = 100
    const refused = await gcloud('compute', 'instances', 'add-metadata', ...named(instance), '--metadata=color=blue')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/fingerprint/) as string })
    expect(value(instance, 'color')).toBeUndefined()
  }, 60_000)

  it('reads guest attributes, and reports when there are none', async () => {
    const instance = google.addInstance({ metadata: [{ key: 'enable-guest-attributes', value: 'TRUE' }] })
    const read = (): Promise<Outcome> =>
      gcloud(
        'compute',
        'instances',
        'get-guest-attributes',
        ...named(instance),
        '--query-path=hostkeys/',
        '--format=json',
      )
    const none = await read()
    expect(none.stderr).toContain("The resource 'hostkeys/' of type 'Guest Attribute' was not found.")
    instance.guestAttributes.set('hostkeys/ssh-ed25519', 'AAAA')
    instance.guestAttributes.set('other/x', 'y')
    const { stdout } = await read()
    expect(JSON.parse(stdout)).toEqual([{ namespace: 'hostkeys', key: 'ssh-ed25519', value: 'AAAA' }])
  }, 30_000)

  it('adds, reads and removes a key of an OS Login profile', async () => {
    const added = await gcloud('compute', 'os-login', 'ssh-keys', 'add', `--key=${key}`, '--ttl=10m', '--format=json')
    expect(added).toMatchObject({ code: 0 })
    const profile = await gcloud('compute', 'os-login', 'describe-profile', '--format=json')
    const { sshPublicKeys, posixAccounts } = JSON.parse(profile.stdout) as Record<string, Record<string, object>>
    const [[fingerprint = '', held] = []] = Object.entries(sshPublicKeys ?? {})
    expect(held).toMatchObject({ key, fingerprint, expirationTimeUsec: expect.stringMatching(/^\d{16}$/) as string })
    expect(posixAccounts).toMatchObject([{ primary: true, username: expect.stringMatching(/^sa_\d+$/) as string }])
    expect(await gcloud('compute', 'os-login', 'ssh-keys', 'remove', `--key=${fingerprint}`)).toMatchObject({
      code: 0,
    })
    expect((await gcloud('compute', 'os-login', 'ssh-keys', 'list')).stdout).not.toContain(fingerprint)
  }, 60_000)

  const enter = guestLack === undefined ? it : it.skip
  enter.each([
    ['a key in the metadata', [{ key: 'block-project-ssh-keys', value: 'TRUE' }]],
    ['a key in the OS Login profile', [{ key: 'enable-oslogin', value: 'TRUE' }]],
  ])(
    `logs in with %s, and uses the published host key${skipped(guestLack)}`,
    async (_what, metadata) => {
      const published = { key: 'enable-guest-attributes', value: 'TRUE' }
      const instance = google.addInstance({ address: '127.0.0.1', metadata: [...metadata, published] })
      const { port } = await boot(instance, { publishesHostKeys: true })
      const entered = await gcloud(
        ...['compute', 'ssh', `someone@${instance.name}`, `--zone=${instance.zone}`],
        ...[`--ssh-key-file=${join(folder, 'key')}`, '--ssh-key-expire-after=10m', `--ssh-flag=-p ${String(port)}`],
        '--command=echo here; id -u',
      )
      expect(entered).toMatchObject({ code: 0, stdout: expect.stringMatching(/here\n0\n$/) as string })
      expect(entered.stderr).toContain('Writing 1 keys to')
    },
    60_000,
  )

  enter(
    `parses the key entries of this action: it drops the expired one and keeps the other one${skipped(guestLack)}`,
    async () => {
      const running = keyEntry(key, new Date(Date.now() + 600_000))
      const expired = keyEntry(key, new Date(Date.now() - 1_000))
      const metadata = [
        { key: 'block-project-ssh-keys', value: 'TRUE' },
        { key: 'ssh-keys', value: `${expired}\n${running}` },
      ]
      const instance = google.addInstance({ address: '127.0.0.1', metadata })
      const { port } = await boot(instance)
      const { stderr } = await gcloud(
        ...['compute', 'ssh', `someone@${instance.name}`, `--zone=${instance.zone}`],
        ...[`--ssh-key-file=${join(folder, 'key')}`, `--ssh-flag=-p ${String(port)}`, '--command=true'],
      )
      expect(stderr).not.toContain('unable to parse')
      const lines = value(instance, 'ssh-keys')?.split('\n') ?? []
      expect(lines).toEqual([running, expect.stringMatching(/^someone:ssh-rsa /)])
    },
    60_000,
  )
})

describeWith(guestLack, 'a guest with a real sshd', () => {
  let apis: GoogleApis
  beforeEach(() => {
    const token = (): Promise<{ value: string; expiresAtMs: number }> =>
      Promise.resolve({ value: issued(), expiresAtMs: Date.now() + 300_000 })
    apis = openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken())
  })

  async function ssh(guest: Guest, user: string, { privateKey }: LoginKey): Promise<Outcome> {
    writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 })
    writeFileSync(join(folder, 'known'), `node ${guest.hostKey}\n`)
    const options = ['BatchMode=yes', `UserKnownHostsFile=${join(folder, 'known')}`, 'HostKeyAlias=node']
    const flags = [...options.flatMap((option) => ['-o', option]), '-F', 'none', '-i', join(folder, 'key')]
    const where = ['-p', String(guest.port), `${user}@127.0.0.1`]
    return run('ssh', [...flags, ...where, 'id -u'], { PATH: process.env['PATH'] ?? '', HOME: folder })
  }

  it.each([
    ['metadata', [], 'gha-capture'],
    ['os-login', [{ key: 'enable-oslogin', value: 'TRUE' }], 'sa_capture'],
  ])(
    'accepts a key added by %s until it is revoked',
    async (kind, metadata, name) => {
      google.world.osLogin.username = 'sa_capture'
      const published = { key: 'enable-guest-attributes', value: 'TRUE' }
      const instance = google.addInstance({ metadata: [...metadata, published] })
      const before = structuredClone(instance.metadata)
      const guest = await boot(instance, { publishesHostKeys: true })
      const node = await describeInstance(apis, instance)
      expect(node.hostKeys).toEqual([guest.hostKey])

      const pair = generateLoginKey()
      const record = planLogin(node, google.serviceAccount, pair)
      expect(record.kind).toBe(kind)
      const { user } = await grantLogin(apis, {
        instance: node,
        key: pair,
        record,
        expires: new Date(Date.now() + 600_000),
      })
      expect(user).toBe(name)
      await until('the key is there', () => guest.keys().has(user))
      await until('a login with the user id of root', async () => (await ssh(guest, user, pair)).stdout === '0\n')

      await revokeLogin(apis, record)
      await until('the key is gone', () => !guest.keys().has(user))
      await until('refused', async () => (await ssh(guest, user, pair)).stderr.includes('Permission denied'))
      expect(instance.metadata).toEqual(before)
    },
    30_000,
  )

  it('rejects a key before it is propagated and after it expires', async () => {
    const instance = google.addInstance()
    const guest = await boot(instance, { propagation: 3_600_000 })
    const node = await describeInstance(apis, instance)
    const pair = generateLoginKey()
    const record = planLogin(node, undefined, pair)
    const expires = new Date(Date.now() + 3_000)
    const { user } = await grantLogin(apis, { instance: node, key: pair, record, expires })
    expect((await ssh(guest, user, pair)).code).toBe(255)
    guest.arrive()
    await until('the guest accepts the key', async () => (await ssh(guest, user, pair)).code === 0)
    await until('it has expired', async () => (await ssh(guest, user, pair)).stderr.includes('Permission denied'))
  }, 30_000)
})
