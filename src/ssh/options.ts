import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { SshAdvice } from './errors.ts'

export interface SshOptions {
  /** opens a new byte stream to the SSH server each time, such as a tunnel */
  connect(): Promise<Duplex>
  readonly user: string
  /** OpenSSH PEM, in memory only */
  readonly privateKey: string
  /** `ssh-ed25519 AAAA…` lines known beforehand; []: the first key that is seen is pinned for the session */
  readonly hostKeys: readonly string[]
  /** A new key takes up to a minute to reach a server: until the first login succeeds, it is tried again for this long. */
  readonly loginPatienceMs: number
  readonly advice: SshAdvice
  /** called before each further attempt, with the reason */
  onWaiting?(reason: string): void
  /** Ends the wait for the first login. A session that has logged in continues: what was recorded must still be fetched. */
  readonly signal?: AbortSignal
}

export interface SshClock {
  nowMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: SshClock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
}
