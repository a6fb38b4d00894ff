import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { addKey, keyEntry, removeKey, withEntry, withoutKey } from '../../../src/google/metadata-key.ts'
import type { Instance, MetadataItem } from '../../sandbox/google/compute.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { apisOf } from './google-node.ts'
import { refusal } from './refusal.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNDDSLYWhhh5c/EmWslXxMD/2Io32POTA14rmKAf/Wf'
const now = new Date('2026-11-22T12:00:00Z')
const entry = keyEntry(publicKey, new Date('2026-11-22T12:10:00.999Z'))
const ours = (base64: string, expireOn: string): string =>
  `gha-capture:ssh-ed25519 ${base64} google-ssh {"userName":"gha-capture","expireOn":"${expireOn}"}`
const expired = ours('AAAAold', '2026-11-22T11:59:59+0000')
const running = ours('AAAAnew', '2026-11-22T12:00:01+0000')
const others = [
  'alice:ssh-rsa AAAA alice@example.com',
  'bob:ssh-ed25519 BBBB google-ssh {"userName":"bob","expireOn":"2020-01-01T00:00:00+0000"}',
  'gha-capture:ssh-ed25519 CCCC somebody else of our name',
  'gha-capture:ssh-ed25519 DDDD google-ssh {"userName":"gha-capture","expireOn":"never"}',
  '  a line with blanks\t',
]

describe('the entry', () => {
  it('has no spaces in its JSON, and a time that every guest agent reads', () => {
    expect(entry).toBe(
      `gha-capture:${publicKey} google-ssh {"userName":"gha-capture","expireOn":"2026-11-22T12:10:00+0000"}`,
    )
  })

  it.each([
    ['there are none', undefined, entry],
    ['there is an empty value', '', `${entry}\n`],
    ['the last line has no end', others.join('\n'), [...others, entry].join('\n')],
    ['the last line has one', `${others.join('\n')}\n`, `${[...others, entry].join('\n')}\n`],
    ['lines end as on Windows', 'a:b c\r\nd:e f\r\n', `a:b c\r\nd:e f\r\n${entry}\n`],
    ['one of ours still holds', running, `${running}\n${entry}`],
    ['one of ours has expired', [others[0], expired, others[1]].join('\n'), [others[0], others[1], entry].join('\n')],
    ['it is there already', `${ours('x', 'y')}\n${entry}`, `${ours('x', 'y')}\n${entry}`],
  ])('is added where %s', (_what, before, after) => {
    expect(withEntry(before, entry, now)).toBe(after)
  })

  it.each([
    ['nothing', ''],
    ['others', others.join('\n')],
    ['others, with an end of line', `${others.join('\n')}\n`],
  ])('leaves %s as it was when it goes', (_what, before) => {
    expect(withoutKey(withEntry(before, entry, now), publicKey, now)).toBe(before)
  })

  it('takes our expired ones with it, and nobody else’s', () => {
    const value = [...others, expired, running, entry].join('\n')
    expect(withoutKey(value, publicKey, now)).toBe([...others, running].join('\n'))
  })
})

describe('the metadata of an instance', () => {
  let google: GoogleServices
  beforeEach(async () => {
    google = await startGoogle()
  })
  afterEach(async () => {
    await google.stop()
  })
  const inAnHour = (): Date => new Date(Date.now() + 3_600_000)
  const add = (instance: Instance): Promise<void> => addKey(apisOf(google), instance, publicKey, inAnHour())
  const remove = (instance: Instance): Promise<boolean> => removeKey(apisOf(google), instance, publicKey)
  const keysOf = (instance: Instance): string | undefined =>
    instance.metadata.find(({ key }) => key === 'ssh-keys')?.value

  it.each<[string, MetadataItem[]]>([
    ['no keys', []],
    ['an empty list of keys', [{ key: 'ssh-keys', value: '' }]],
    [
      'keys of others',
      [
        { key: 'ssh-keys', value: others.join('\n') },
        { key: 'z', value: '  ' },
      ],
    ],
  ])('with %s is byte for byte the same but for the key, and after it', async (_what, metadata) => {
    const instance = google.addInstance({ metadata })
    const before = structuredClone(instance.metadata)
    await add(instance)
    expect(keysOf(instance)).toContain(publicKey)
    const rest = (items: MetadataItem[]): MetadataItem[] => items.filter(({ key }) => key !== 'ssh-keys')
    expect(rest(instance.metadata)).toEqual(rest(before))
    expect(await remove(instance)).toBe(true)
    expect(instance.metadata).toEqual(before)
    expect(google.world.compute.projectMetadata).toEqual([])
  })

  it('is changed when the operation is done, not when it is begun', async () => {
    google.world.compute.pendingPolls = 3
    await add(google.addInstance())
    expect(google.count('compute.zoneOperations.get')).toBe(4)
  })

  it('is read again where others change it at the same time, and keeps what they wrote', async () => {
    const instance = google.addInstance()
    google.world.compute.races = 2
    await add(instance)
    expect(google.count('compute.instances.setMetadata')).toBe(3)
    expect(instance.metadata.filter(({ key }) => key.startsWith('other-'))).toHaveLength(2)
    expect(keysOf(instance)).toContain(publicKey)
  })

  it('is given up where others never leave it alone, after growing pauses of no fixed length', async () => {
    google.world.compute.races = 1_000
    const pauses: number[] = []
    const work = (): Promise<void> => addKey(apisOf(google, pauses), google.addInstance(), publicKey, inAnHour())
    expect(await refusal(work)).toContain('it was changed by others each of the 10 times it was tried')
    expect(pauses).toHaveLength(9)
    expect(new Set(pauses).size).toBe(9)
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(total).toBeGreaterThan(5_000)
    expect(total).toBeLessThan(30_000)
  })

  it('is given up where the operation never ends, after a minute and a half', async () => {
    google.world.compute.pendingPolls = Infinity
    const pauses: number[] = []
    const work = (): Promise<void> => addKey(apisOf(google, pauses), google.addInstance(), publicKey, inAnHour())
    expect(await refusal(work)).toContain('the operation does not come to its end')
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(total).toBeGreaterThan(80_000)
    expect(total).toBeLessThan(100_000)
  })

  it('is not changed where the operation fails', async () => {
    google.world.compute.operationErrors.push('RESOURCE_NOT_READY')
    expect(await refusal(() => add(google.addInstance()))).toContain('the operation ended in RESOURCE_NOT_READY')
  })

  it('needs no change where the key is gone, or the instance', async () => {
    const instance = google.addInstance()
    expect(await remove(instance)).toBe(true)
    expect(google.count('compute.instances.setMetadata')).toBe(0)
    google.world.compute.instances.length = 0
    expect(await remove(instance)).toBe(false)
  })

  it('has no room for more than its limit', async () => {
    const value = 'alice:ssh-rsa AAAA\n'.repeat(13_797)
    const message = await refusal(() => add(google.addInstance({ metadata: [{ key: 'ssh-keys', value }] })))
    expect(message).toMatch(/have no room for one more \(262\d+ bytes, the limit is 262144\)/)
    expect(google.count('compute.instances.setMetadata')).toBe(0)
  })

  it.each([
    ['compute.instances.setMetadata', 'Required "compute.instances.setMetadata" permission(s)'],
    ['compute.zoneOperations.get', 'Required "compute.zoneOperations.get" permission(s)'],
    ['iam.serviceAccounts.actAs', 'does not have access to service account'],
  ])('may not be changed without %s', async (permission, words) => {
    google.world.denied.add(permission)
    const message = await refusal(() => add(google.addInstance()))
    expect(message).toContain(words)
    expect(message).toContain('roles/iam.serviceAccountUser')
  })

  it('is in no error', async () => {
    // The service refuses what it holds too large, and quotes it.
    const secret = 'KUBELET_KEY '.repeat(30_000)
    const instance = google.addInstance({ metadata: [{ key: 'kube-env-2', value: secret }] })
    const error = await add(instance).catch((reason: unknown) => reason)
    expect(google.calls.at(-1)).toMatchObject({ operation: 'compute.instances.setMetadata', status: 413 })
    expect((error as Error).message).toContain('(413)')
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('KUBELET')
  })

  it('is in no log, also where Google’s client is told to write one', async () => {
    const secret = 'KUBELET_KEY '.repeat(30_000)
    const instance = google.addInstance({ metadata: [{ key: 'kube-env-2', value: secret }] })
    const script = `
      const [{ openGoogleApis, describeInstance }, { addKey }] = await Promise.all([import('./instance.ts'), import('./metadata-key.ts')])
      const token = () => Promise.resolve({ value: process.env.TOKEN, expires: Date.now() + 300000 })
      const apis = openGoogleApis({ token, universe: 'googleapis.com' }, process.env)
      const { status } = await describeInstance(apis, { project: 'shop-prod', zone: 'europe-west1-b', name: process.env.NAME })
      const error = await addKey(apis, { project: 'shop-prod', zone: 'europe-west1-b', name: process.env.NAME }, 'ssh-ed25519 AAAA', new Date()).catch((error) => error)
      console.log(status, error.message)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '../../../src/google'),
      env: {
        ...google.envWithoutIdToken(),
        ...{ TOKEN: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300), NAME: instance.name },
        ...{ GOOGLE_SDK_NODE_LOGGING: '*', GOOGLE_SDK_NODE_ENABLE_TRACING: 'true', NODE_DEBUG: 'compute' },
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await new Promise((resolve) => child.on('close', resolve))
    expect(output).toContain('RUNNING node-method: the SSH key cannot be changed')
    expect(output).not.toMatch(/KUBELET|kube-env|TPM_BOOTSTRAP/)
  }, 20_000)
})
