import { ConfigurationError } from '../errors.ts'
import { nodeRightProblem } from './access.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'

/** The parts of a Kubernetes Node (core/v1) that are read here. */
export interface Node {
  readonly metadata?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: { readonly providerID?: string }
  readonly status?: {
    readonly nodeInfo?: { readonly operatingSystem?: string; readonly osImage?: string }
    readonly addresses?: readonly { readonly type?: string; readonly address?: string }[]
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } }
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[]
  }
}

/**
 * `identity`: as the API server names us, where that is known; `rights`: where the right is written down.
 * @throws ConfigurationError where there is no such node, or it may not be read
 */
export async function getNode(
  connection: Connection,
  name: string,
  { identity, rights = 'docs/rbac/platform.yaml' }: { readonly identity?: string | undefined; rights?: string } = {},
): Promise<Node> {
  try {
    return (await call(connection, 'GET', `/api/v1/nodes/${name}`)).body as Node
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) {
      throw new ConfigurationError(
        `node: there is no node ${JSON.stringify(name)}. List them with \`kubectl get nodes\`. Nothing was created.`,
      )
    }
    if (error.status !== 403) throw error
    throw new ConfigurationError(nodeRightProblem(connection, identity, error.message, rights))
  }
}

/** @throws ConfigurationError where tcpdump cannot run on it */
export function checkNode(node: Node, name: string): void {
  const system = node.status?.nodeInfo?.operatingSystem ?? node.metadata?.labels?.['kubernetes.io/os']
  if (system === 'windows') {
    throw new ConfigurationError(
      `level: the node ${JSON.stringify(name)} runs Windows, which has no tcpdump. Capture the other end of the connection. Nothing was created.`,
    )
  }
}
