import { setTimeout as delay } from 'node:timers/promises'
import type { InstancesClient } from '@google-cloud/compute/build/src/v1/instances_client.js'
import { withDirname } from '../../common/with-dirname.ts'
import type { GoogleTokenSource } from '../auth/identity.ts'
import { googleEndpoints, type GoogleEndpoints } from '../endpoints.ts'
import { openTransport } from '../transport.ts'

/** Google's APIs for one identity: the instances of Compute Engine by Google's client library, all other calls by REST. */
export interface GoogleApis {
  readonly endpoints: GoogleEndpoints
  /** Loads the client library, 9 MB, at the first call. Each of its calls ends within a minute. */
  readonly instances: () => Promise<InstancesClient>
  /** One call, by its absolute URL; returns the JSON of the answer. @throws an error that `failureOf` reads */
  readonly call: <T>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown) => Promise<T>
  /** waits between two attempts */
  readonly pause: (durationMs: number) => Promise<unknown>
}

/** For each call of the instances client: the transport below it already retries. */
export const callOptions = { timeout: 60_000, retry: null }

/** @throws ConfigurationError where the environment overrides the address of a service with an invalid one */
export function openGoogleApis(
  source: Pick<GoogleTokenSource, 'token' | 'universe'>,
  env: NodeJS.ProcessEnv,
  pause: GoogleApis['pause'] = (durationMs) => delay(durationMs),
): GoogleApis {
  const endpoints = googleEndpoints(env, source.universe)
  const authorization = async (): Promise<string> => `Bearer ${(await source.token()).value}`
  let client: Promise<InstancesClient> | undefined
  return {
    endpoints,
    pause,
    instances: () => (client ??= openInstancesClient(endpoints, authorization)),
    call: async <T>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown) => {
      const transport = await openTransport()
      const headers = { authorization: await authorization() }
      const request = { url, method, headers, responseType: 'json' as const, ...(body !== undefined && { data: body }) }
      return (await transport.request<T>(request)).data
    },
  }
}

/** Imported by the path of the one client, 9 MB: the root of the package is 78 MB. */
async function openInstancesClient(
  endpoints: GoogleEndpoints,
  authorization: () => Promise<string>,
): Promise<InstancesClient> {
  const transport = await openTransport()
  const { InstancesClient } = await withDirname(() => import('@google-cloud/compute/build/src/v1/instances_client.js'))
  // All that the client needs of its credentials. With it, requests use the proxy and the overrides of the environment, and have time limits.
  const authClient = {
    universeDomain: endpoints.universe,
    getRequestHeaders: async () => new Headers({ authorization: await authorization() }),
    fetch: async (input: string, init: RequestInit): Promise<Response> => {
      const { pathname, search } = new URL(input)
      const headers = new Headers(init.headers)
      headers.set('authorization', await authorization())
      const answer = await transport.request<unknown>({
        url: endpoints.url('compute', pathname.replace(/^\/compute\/v1\//, '') + search),
        method: init.method as 'GET' | 'POST',
        headers,
        responseType: 'json',
        ...(init.signal && { signal: init.signal }),
        ...(typeof init.body === 'string' && { body: init.body }),
      })
      return new Response(JSON.stringify(answer.data), { status: answer.status })
    },
  }
  const options = {
    ...{ fallback: true, universeDomain: endpoints.universe, authClient },
    // With GOOGLE_SDK_NODE_LOGGING the client would write requests and answers to stderr, which hold the metadata of a node.
    ...{ enableTelemetryLogging: false, enableTelemetryTracing: false },
  }
  const client = new InstancesClient(options as unknown as ConstructorParameters<typeof InstancesClient>[0])
  Object.defineProperty(client, '_log', { value: { info: () => undefined } })
  return client
}
