import { openGoogleApis, type GoogleApis } from '../../src/google/compute/apis.ts'
import type { GoogleServices } from '../sandbox/google/start.ts'

/** The APIs with the service account of the fakes. They do not wait between attempts; `pauses` records the wait times. */
export function apisOf(google: GoogleServices, pauses: number[] = []): GoogleApis {
  const token = (): Promise<{ value: string; expiresAtMs: number }> =>
    Promise.resolve({
      value: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300),
      expiresAtMs: Date.now() + 300_000,
    })
  const pause = (duration: number): Promise<void> => {
    pauses.push(duration)
    return Promise.resolve()
  }
  return openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken(), pause)
}
