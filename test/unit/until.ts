import { setTimeout as delay } from 'node:timers/promises'

/** Waits until the condition holds: what `read` gives once it is neither undefined nor false. */
export async function until<T>(
  what: string,
  read: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 20_000,
): Promise<T> {
  const end = performance.now() + timeout
  for (;;) {
    const value = await read()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${String(timeout)} ms: ${what}`)
    await delay(5)
  }
}
