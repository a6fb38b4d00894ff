import { inspect } from 'node:util'
import { addKey, keyEntry, removeKey, withEntry, withoutKey } from '../../../../src/google/compute/metadata-key.ts'
import type { Instance, MetadataItem } from '../../../sandbox/google/compute.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { apisOf } from '../../../support/google-apis.ts'
import { refusal } from '../../../support/refusal.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNDDSLYWhhh5c/EmWslXxMD/2Io32POTA14rmKAf/Wf'
const now = new Date('2026-11-22T12:00:00Z')
const entry = keyEntry(publicKey, new Date('2026-11-22T12:10:00.999Z'))
const actionEntry = (base64: string, expireOn: string): string =>
  `gha-capture:ssh-ed25519 ${base64} google-ssh {"userName":"gha-capture","expireOn":"${expireOn}"}`
const expired = actionEntry('AAAAold', '2026-11-22T11:59:59+0000')
const running = actionEntry('AAAAnew', '2026-11-22T12:00:01+0000')
const others = [
  'alice:ssh-rsa AAAA alice@example.com',
  'bob:ssh-ed25519 BBBB google-ssh {"userName":"bob","expireOn":"2020-01-01T00:00:00+0000"}',
  'gha-capture:ssh-ed25519 CCCC another key of the same user',
  'gha-capture:ssh-ed25519 DDDD google-ssh {"userName":"gha-capture","expireOn":"never"}',
  '  a line with blanks\t',
]

describe('an ssh-keys entry', () => {
  it('has JSON without spaces and a time that every guest agent can read', () => {
    expect(entry).toBe(
      `gha-capture:${publicKey} google-ssh {"userName":"gha-capture","expireOn":"2026-11-22T12:10:00+0000"}`,
    )
  })

  it.each([
    ['there are none', undefined, entry],
    ['there is an empty value', '', `${entry}\n`],
    ['the last line has no line break', others.join('\n'), [...others, entry].join('\n')],
    ['the last line has a line break', `${others.join('\n')}\n`, `${[...others, entry].join('\n')}\n`],
    ['lines have Windows line breaks', 'a:b c\r\nd:e f\r\n', `a:b c\r\nd:e f\r\n${entry}\n`],
    ['an entry of this action is valid', running, `${running}\n${entry}`],
    [
      'an entry of this action has expired',
      [others[0], expired, others[1]].join('\n'),
      [others[0], others[1], entry].join('\n'),
    ],
    ['it already exists', `${actionEntry('x', 'y')}\n${entry}`, `${actionEntry('x', 'y')}\n${entry}`],
  ])('is added when %s', (_what, before, after) => {
    expect(withEntry(before, entry, now)).toBe(after)
  })

  it.each([
    ['an empty value', ''],
    ['other entries', others.join('\n')],
    ['other entries with a final line break', `${others.join('\n')}\n`],
  ])('leaves %s unchanged when it is removed', (_what, before) => {
    expect(withoutKey(withEntry(before, entry, now), publicKey, now)).toBe(before)
  })

  it('removes expired entries of this action and no other entries', () => {
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
      'keys of other users',
      [
        { key: 'ssh-keys', value: others.join('\n') },
        { key: 'z', value: '  ' },
      ],
    ],
  ])('with %s changes only by the key, and is restored byte for byte', async (_what, metadata) => {
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

  it('is reported as changed only when the operation is done', async () => {
    google.world.compute.pendingPolls = 3
    await add(google.addInstance())
    expect(google.count('compute.zoneOperations.get')).toBe(4)
  })

  it('is read again when another client changes it at the same time, and keeps that change', async () => {
    const instance = google.addInstance()
    google.world.compute.races = 2
    await add(instance)
    expect(google.count('compute.instances.setMetadata')).toBe(3)
    expect(instance.metadata.filter(({ key }) => key.startsWith('other-'))).toHaveLength(2)
    expect(keysOf(instance)).toContain(publicKey)
  })

  it('is reported as a conflict after 10 attempts, with random and growing pauses', async () => {
    google.world.compute.races = 1_000
    const pauses: number[] = []
    const work = (): Promise<void> => addKey(apisOf(google, pauses), google.addInstance(), publicKey, inAnHour())
    expect(await refusal(work)).toContain('another client changed it at the same time in each of 10 attempts')
    expect(pauses).toHaveLength(9)
    expect(new Set(pauses).size).toBe(9)
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(total).toBeGreaterThan(5_000)
    expect(total).toBeLessThan(30_000)
  })

  it('is reported as a failure when the operation does not end within 90 s', async () => {
    google.world.compute.pendingPolls = Infinity
    const pauses: number[] = []
    const work = (): Promise<void> => addKey(apisOf(google, pauses), google.addInstance(), publicKey, inAnHour())
    expect(await refusal(work)).toContain('the operation did not end within 90 s')
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(total).toBeGreaterThan(80_000)
    expect(total).toBeLessThan(100_000)
  })

  it('is reported as a failure when the operation fails', async () => {
    google.world.compute.operationErrors.push('RESOURCE_NOT_READY')
    expect(await refusal(() => add(google.addInstance()))).toContain('the operation ended in RESOURCE_NOT_READY')
  })

  it('needs no change when the key or the instance does not exist', async () => {
    const instance = google.addInstance()
    expect(await remove(instance)).toBe(true)
    expect(google.count('compute.instances.setMetadata')).toBe(0)
    google.world.compute.instances.length = 0
    expect(await remove(instance)).toBe(false)
  })

  it('is not changed when the value would exceed its limit', async () => {
    const value = 'alice:ssh-rsa AAAA\n'.repeat(13_797)
    const message = await refusal(() => add(google.addInstance({ metadata: [{ key: 'ssh-keys', value }] })))
    expect(message).toMatch(/have no room for another key \(262\d+ bytes, the limit is 262144\)/)
    expect(google.count('compute.instances.setMetadata')).toBe(0)
  })

  it.each([
    ['compute.instances.setMetadata', 'Required "compute.instances.setMetadata" permission(s)'],
    ['compute.zoneOperations.get', 'Required "compute.zoneOperations.get" permission(s)'],
    ['iam.serviceAccounts.actAs', 'does not have access to service account'],
  ])('cannot be changed without %s', async (permission, expected) => {
    google.world.denied.add(permission)
    const message = await refusal(() => add(google.addInstance()))
    expect(message).toContain(expected)
    expect(message).toContain('roles/iam.serviceAccountUser')
  })

  it('does not appear in an error', async () => {
    // The service rejects a value that is too large, and quotes it.
    const secret = 'KUBELET_KEY '.repeat(30_000)
    const instance = google.addInstance({ metadata: [{ key: 'kube-env-2', value: secret }] })
    const error = await add(instance).catch((reason: unknown) => reason)
    expect(google.calls.at(-1)).toMatchObject({ operation: 'compute.instances.setMetadata', status: 413 })
    expect((error as Error).message).toContain('(413)')
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('KUBELET')
  })
})
