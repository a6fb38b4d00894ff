import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  timeoutMs?: number
  everyMs?: number
  /** treats an error of `read` as "not yet"; without it an error ends the wait */
  ignoreErrors?: boolean
}

/** Waits until the condition holds: returns what `read` returns once that is neither undefined nor false. */
export async function until<T>(
  what: string,
  read: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 20_000, everyMs = 5, ignoreErrors = false }: Patience = {},
): Promise<T> {
  const end = performance.now() + timeoutMs
  let last = ''
  for (;;) {
    try {
      const value = await read()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      if (!ignoreErrors) throw error
      last = `: ${String(error)}`
    }
    if (performance.now() > end) throw new Error(`not within ${String(timeoutMs)} ms: ${what}${last}`)
    await delay(everyMs)
  }
}
