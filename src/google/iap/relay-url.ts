import { ConfigurationError } from '../../common/errors.ts'
import { urlForMessage } from '../../common/url-text.ts'
import { isSafe } from '../endpoints.ts'
import type { TunnelTarget } from './types.ts'

const overrideName = 'IAP_TUNNEL_URL_OVERRIDE'

/**
 * The base URL of the relay: the value of `IAP_TUNNEL_URL_OVERRIDE`, which has the form of gcloud's --iap-tunnel-url-override (a bare origin
 * gets `/v4`), or the relay of the universe.
 * @throws ConfigurationError for a value that is not such a URL, and for plain ws beyond loopback: access tokens are sent there
 */
export function relayUrl(env: NodeJS.ProcessEnv, universe: string): string {
  const value = env[overrideName]
  if (!value) {
    return universe === 'googleapis.com' ? 'wss://tunnel.cloudproxy.app/v4' : `wss://tunnel-cloudproxy.${universe}/v4`
  }
  const url = URL.parse(value)
  if (!url || !/^wss?:\/\/[^\s?#@]+$/i.test(value)) {
    throw invalidOverride(
      value,
      'is not a WebSocket URL',
      "Set it to wss://HOST[:PORT][/PATH], as gcloud's --iap-tunnel-url-override.",
    )
  }
  if (!isSafe(new URL(value.replace(/^ws/i, 'http')))) {
    throw invalidOverride(
      value,
      'is plain ws, which is allowed for a loopback address only (127.0.0.1, [::1], localhost)',
      'Use wss.',
    )
  }
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.protocol}//${url.host}${path === '' ? '/v4' : path}`
}

function invalidOverride(value: string, problem: string, fix: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_GOOGLE_ENDPOINT_OVERRIDE',
    input: overrideName,
    problem: `${JSON.stringify(urlForMessage(value).slice(0, 200))} ${problem}`,
    fix,
  })
}

/** A session at the relay that goes on with a new connection. */
export interface ResumePoint {
  readonly sessionId: string
  readonly receivedBytes: number
}

/** The URL of one connection, with its parameters in the order of gcloud's. Without `resume` a new session begins. */
export function connectionUrl(base: string, target: TunnelTarget, resume: ResumePoint | undefined): string {
  const { project, zone, instance, port } = target
  const newWebsocket = 'True'
  const query = resume
    ? { sid: resume.sessionId, ack: String(resume.receivedBytes), newWebsocket, zone }
    : { project, port: String(port), newWebsocket, zone, instance, interface: target.interface }
  return `${base}/${resume ? 'reconnect' : 'connect'}?${new URLSearchParams(query).toString()}`
}
