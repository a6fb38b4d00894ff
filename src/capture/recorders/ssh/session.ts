import type { CommandResult } from '../../../ssh/command.ts'
import { SshSession } from '../../../ssh/session.ts'
import { maxHoldSeconds } from '../../plan.ts'
import type { CaptureRecord } from '../../record.ts'
import { asRootScript } from '../../scripts/node-scripts.ts'
import type { NodeAccess, NodeLogin, RevokedLogin, SavedLogin } from './access.ts'

/** A key takes up to a minute to reach a node (the interval of the guest agent, the caches of OS Login). */
const loginPatienceMs = 90_000
/** Beyond the recorder's longest life: the key must serve clean-up. */
const keyMarginMs = 10 * 60_000
const commandTimeoutMs = 10_000

/** argv as root: directly, or with sudo, which must not ask for a password. */
export function asRoot(argv: readonly string[]): readonly string[] {
  return ['sh', '-c', asRootScript, 'sh', ...argv]
}

/** A command as root. @throws what `session.run` throws */
export function runAsRoot(
  session: SshSession,
  argv: readonly string[],
  { timeoutMs = commandTimeoutMs, stdin = '' } = {},
): Promise<CommandResult> {
  return session.run(asRoot(argv), { timeoutMs, stdin })
}

/**
 * The SSH session of a recorder, and every login that it has used. States: closed, opening (a login is under way, and all who need the
 * session wait for it) and open. It logs in when it is first needed.
 */
export class NodeSession {
  readonly #access: NodeAccess
  readonly #record: CaptureRecord
  /** to be revoked in the end: the saved one of the record, and later ones of this process */
  readonly #logins: SavedLogin[]
  /** undefined in the post step: only main had the private half of the saved login */
  readonly #planned: NodeLogin | undefined
  #session: Promise<SshSession> | undefined
  /** set while a capture runs */
  onWaiting: (reason: string) => void = () => undefined

  constructor(access: NodeAccess, record: CaptureRecord, saved: SavedLogin, planned: NodeLogin | undefined) {
    this.#access = access
    this.#record = record
    this.#logins = [saved]
    this.#planned = planned
  }

  /** @throws ConfigurationError, Cancelled */
  open(signal?: AbortSignal): Promise<SshSession> {
    this.#session ??= this.#logIn(signal).catch((error: unknown) => {
      this.#session = undefined
      throw error
    })
    return this.#session
  }

  /** Ends the connection where there is one. The next `open` logs in again. */
  close(): void {
    void this.#session?.then(
      (session) => session.close(),
      () => undefined,
    )
    this.#session = undefined
  }

  /** Revokes every login of the capture. Never rejects. */
  revokeLogins(): Promise<readonly RevokedLogin[]> {
    return Promise.all(this.#logins.map((login) => this.#access.revokeLogin(login)))
  }

  async #logIn(signal: AbortSignal | undefined): Promise<SshSession> {
    const login = this.#planned ?? (await this.#planAnother())
    const lastUse = Math.max(this.#record.deadlineHereMs, Date.now()) + maxHoldSeconds * 1000
    const user = await login.grant(new Date(lastUse + keyMarginMs))
    return new SshSession({
      connect: () => login.openTunnel((reason) => this.onWaiting(`the tunnel reconnects (${reason})`)),
      user,
      privateKey: login.privateKey,
      hostKeys: login.hostKeys,
      loginPatienceMs,
      advice: login.sshAdvice,
      onWaiting: (reason) => this.onWaiting(reason),
      ...(signal ? { signal } : {}),
    })
  }

  /** The saved key is of no use in this process, so it is revoked before another one is granted. */
  async #planAnother(): Promise<NodeLogin> {
    const [saved] = this.#logins
    await this.#access.revokeLogin(saved)
    const login = await this.#access.planLogin(saved)
    this.#logins.push(login.saved)
    return login
  }
}
