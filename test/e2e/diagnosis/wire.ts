import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { command, kubectl, testClusterScripts } from '../cluster.ts'

/** The nodes of the test cluster. The wire between them is the interface `testcluster-b` of this machine, which is the first node. */
export const firstNode = 'node-a'
export const secondNode = 'node-b'

const script = (name: string): Promise<string> =>
  command(join(testClusterScripts ?? '', name), [], { timeout: 120_000 })

export async function addSecondNode(): Promise<void> {
  await script('add-node')
}

export async function removeSecondNode(): Promise<void> {
  await script('remove-node')
  await kubectl(['delete', 'node', secondNode, '--ignore-not-found', '--wait=false'])
}

/**
 * New pods get the addresses of deleted ones. The first node would send to a deleted pod for as long as it remembers its hardware address, and a pod
 * that never sends anything does not tell it the new one.
 */
export async function forgetDeletedPods(): Promise<void> {
  await command('ip', ['neighbor', 'flush', 'dev', 'testcluster0'])
}

/** Rules of iptables for what pods of the first node send to the second node, one for each pod. */
export class Wire {
  readonly #chain = `DIAGNOSIS-${randomBytes(3).toString('hex')}`
  readonly #jump = ['FORWARD', '-o', 'testcluster-b', '-j', this.#chain]

  async open(): Promise<void> {
    await iptables('-N', this.#chain)
    await iptables('-I', ...this.#jump)
  }

  /** `rule`: the rest of a rule of iptables, such as "-p tcp --dport 80 -j DROP" */
  async add(podAddress: string, rule: string): Promise<void> {
    await iptables('-A', this.#chain, '-s', podAddress, ...rule.split(' '))
  }

  /** How many packets the rule of this pod has matched. */
  async matched(podAddress: string): Promise<number> {
    const rules = (await iptables('-nvxL', this.#chain)).split('\n').map((line) => line.trim().split(/\s+/))
    return Number(rules.find((fields) => fields.includes(podAddress))?.[0])
  }

  async close(): Promise<void> {
    await iptables('-D', ...this.#jump)
    await iptables('-F', this.#chain)
    await iptables('-X', this.#chain)
  }
}

/** Waits for the lock that kube-proxy may hold. */
const iptables = (...args: readonly string[]): Promise<string> => command('iptables', ['-w', '20', ...args])
