/** How often a reason that does not change is reported again. */
const repeatIntervalMs = 60_000

/**
 * Reports why connections are lost, without flooding the log: a reason at once when it is new or when the connection had brought data, and the
 * same reason again at most once a minute, with the number of attempts.
 */
export class ReconnectLog {
  readonly #report: (reason: string) => void
  #last: { readonly reason: string; reportedAtMs: number; attemptCount: number } | undefined

  constructor(report: (reason: string) => void) {
    this.#report = report
  }

  connectionLost(reason: string, { hadProgress }: { readonly hadProgress: boolean }): void {
    const last = this.#last
    if (last === undefined || hadProgress || last.reason !== reason) {
      this.#last = { reason, reportedAtMs: Date.now(), attemptCount: 1 }
      this.#report(reason)
      return
    }
    last.attemptCount += 1
    if (Date.now() - last.reportedAtMs < repeatIntervalMs) return
    last.reportedAtMs = Date.now()
    this.#report(`${reason}; ${last.attemptCount} attempts so far`)
  }
}
