import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from '../../../sandbox/google/compute.ts'
import { startGuest, type Guest } from '../../../sandbox/google/guest.ts'
import { startRelay, type Relay } from '../../../sandbox/google/relay.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'

/** The instance node-1 of demo-project in us-central1-a: a real sshd behind the relay. Has the requirements of a guest. */
export interface SshNode {
  /** contains `tmp` and `lib`, the node's /var/tmp and /var/lib */
  readonly folder: string
  readonly google: GoogleServices
  readonly instance: Instance
  readonly guest: Guest
  readonly relay: Relay
  /** the current entries of this action's keys in the instance's metadata */
  keys(): string[]
  /** the same at each connection that the relay has made to the node */
  readonly keysThen: readonly string[][]
  /** runs a shell line as root in the node's mount namespace */
  run(line: string, ...argv: readonly string[]): void
  /** Sets the user id and the login shell of the account of this action's keys; the default is root and sh. */
  account(id: number, shell: string): void
  close(): Promise<void>
}

export async function openSshNode(): Promise<SshNode> {
  const folder = mkdtempSync('/var/tmp/ssh-node-') // a node's spool must be on a disk, and /tmp can be in memory
  for (const name of ['tmp', 'lib']) mkdirSync(join(folder, name))
  const google = await startGoogle({ project: { id: 'demo-project', number: '123456789012' } })
  const metadata = [{ key: 'enable-guest-attributes', value: 'TRUE' }]
  const instance = google.addInstance({ name: 'node-1', zone: 'us-central1-a', metadata })
  google.world.compute.pendingPolls = 0
  const guest = await startGuest(google.world, instance, { publishesHostKeys: true })
  const keys = (): string[] =>
    instance.metadata.flatMap(({ key, value }) => (key === 'ssh-keys' && value ? [value] : []))
  const keysThen: string[][] = []
  const relay = await startRelay({
    backend: () => {
      keysThen.push(keys())
      guest.arrive() // otherwise the login is retried only after seconds
      return { host: '127.0.0.1', port: guest.port }
    },
    authenticate: (given) => google.identify(given) !== undefined,
  })
  const run = (line: string, ...argv: readonly string[]): void => {
    const space = `--mount=/proc/${guest.root.split('/')[2] ?? ''}/ns/mnt`
    const { status, stderr } = spawnSync('nsenter', [space, 'sh', '-c', line, 'sh', ...argv], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  // The first entry of a name is the one that counts.
  const addAccount = 'for f in passwd shadow; do rest=$(cat /etc/$f); printf "%s\\n" "$1" "$rest" >/etc/$f; shift; done'
  const account = (id: number, shell: string): void =>
    run(addAccount, `gha-capture:x:${String(id)}:${String(id)}::/:${shell}`, 'gha-capture:*:19000:0:99999:7:::')
  const close = async (): Promise<void> => {
    await relay.stop()
    await guest.stop()
    await google.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    run('mount --bind "$1/lib" /var/lib && mount --bind "$1/tmp" /var/tmp', folder)
    account(0, '/bin/sh') // bash would read root's .bashrc each time
  } catch (error) {
    await close()
    throw error
  }
  return { folder, google, instance, guest, relay, keys, keysThen, run, account, close }
}
