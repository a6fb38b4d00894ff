import { openGoogleApis, type GoogleApis } from '../../../src/google/instance.ts'
import type { GoogleServices } from '../../sandbox/google/start.ts'

/** The APIs as the service account of the fakes sees them. It does not wait between attempts; `pauses` tells how long it would have. */
export function apisOf(google: GoogleServices, pauses: number[] = []): GoogleApis {
  const token = (): Promise<{ value: string; expires: number }> =>
    Promise.resolve({
      value: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300),
      expires: Date.now() + 300_000,
    })
  const pause = (duration: number): Promise<void> => {
    pauses.push(duration)
    return Promise.resolve()
  }
  return openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken(), pause)
}
