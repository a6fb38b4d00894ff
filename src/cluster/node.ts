import { ConfigurationError } from '../common/errors.ts'
import { urlPath } from '../common/url-path.ts'
import { nodeRightProblem } from './rights.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'

/** The fields of a Node (core/v1) that this action reads. */
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
 * `identity`: the user name that the API server reports; `rbacFile`: path in this repository of the file that grants the right.
 * @throws ConfigurationError where there is no such node, or the user may not get it
 */
export async function getNode(
  connection: Connection,
  name: string,
  { identity, rbacFile = 'docs/rbac/platform.yaml' }: { identity?: string | undefined; rbacFile?: string } = {},
): Promise<Node> {
  try {
    return (await call(connection, 'GET', urlPath`/api/v1/nodes/${name}`)).body as Node
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) {
      throw new ConfigurationError({
        code: 'E_NODE_NOT_FOUND',
        input: 'node',
        problem: `there is no node ${JSON.stringify(name)}`,
        fix: 'List the nodes with `kubectl get nodes`.',
      })
    }
    if (error.status !== 403) throw error
    throw new ConfigurationError(nodeRightProblem(connection, { identity, message: error.message, rbacFile }))
  }
}

/** @throws ConfigurationError where tcpdump cannot run on it */
export function checkNode(node: Node, name: string): void {
  const system = node.status?.nodeInfo?.operatingSystem ?? node.metadata?.labels?.['kubernetes.io/os']
  if (system === 'windows') {
    throw new ConfigurationError({
      code: 'E_NODE_UNSUPPORTED',
      input: 'level',
      problem: `the node ${JSON.stringify(name)} runs Windows, which has no tcpdump`,
      fix: 'Capture the other end of the connection.',
    })
  }
}
