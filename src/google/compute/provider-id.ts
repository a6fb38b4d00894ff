import { ConfigurationError } from '../../common/errors.ts'
import type { InstanceName } from './instance.ts'

/**
 * The Compute Engine instance of a Kubernetes node, by `spec.providerID`: `gce://PROJECT/ZONE/NAME`.
 * @param node name of the Kubernetes node, for the message
 * @throws ConfigurationError for a node of another kind
 */
export function parseProviderId(providerId: string | undefined, node: string): InstanceName {
  const [, project, zone, name] =
    /^gce:\/\/((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61})\/([a-z][a-z0-9-]{1,61})\/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.exec(
      providerId ?? '',
    ) ?? []
  if (project !== undefined && zone !== undefined && name !== undefined) return { project, zone, name }
  const reason = providerId ? `its providerID is ${JSON.stringify(providerId.slice(0, 200))}` : 'it has no providerID'
  throw new ConfigurationError({
    code: 'E_NODE_NOT_ON_GCE',
    input: 'node-method',
    problem: `the node ${JSON.stringify(node)} is not a Compute Engine node: ${reason}`,
    fix: 'SSH is supported for nodes of GKE Standard only: use node-method: pod.',
  })
}
