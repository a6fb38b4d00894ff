import type { ClusterName } from '../../common/cluster-name.ts'
import { ConfigurationError } from '../../common/errors.ts'
import { fullName } from './cluster-name.ts'

/** The values of the input `endpoint`. */
export type EndpointChoice = 'auto' | 'dns' | 'ip' | 'private' | 'connect-gateway'

/** One endpoint of an API server. */
export interface Endpoint {
  readonly endpoint: Exclude<EndpointChoice, 'auto'>
  /** URL without a trailing slash; that of Connect Gateway has a path */
  readonly server: string
  /** PEM; absent where a public authority signed the certificate */
  readonly certificateAuthority: string | undefined
  /** what to check where this endpoint does not answer, or answers 403 before RBAC is evaluated; in whole sentences */
  readonly hint: string
}

/** What is read of `container.v1.Cluster`; a field that is false or empty may be left out. */
export interface ClusterResource {
  readonly status?: string
  readonly endpoint?: string
  /** names the project by its id, whatever the request used */
  readonly selfLink?: string
  readonly autopilot?: { enabled?: boolean }
  readonly masterAuth?: { clusterCaCertificate?: string }
  readonly privateClusterConfig?: { enablePrivateEndpoint?: boolean; privateEndpoint?: string; publicEndpoint?: string }
  readonly masterAuthorizedNetworksConfig?: { enabled?: boolean }
  readonly controlPlaneEndpointsConfig?: {
    dnsEndpointConfig?: { endpoint?: string; allowExternalTraffic?: boolean }
    ipEndpointsConfig?: {
      enabled?: boolean
      enablePublicEndpoint?: boolean
      publicEndpoint?: string
      privateEndpoint?: string
      authorizedNetworksConfig?: { enabled?: boolean }
    }
  }
  readonly fleet?: { membership?: string; project?: string }
}

/**
 * The endpoint of the choice; for `auto` the DNS endpoint, else the public IP address.
 * @throws ConfigurationError where the cluster does not have it
 */
export function chooseEndpoint(
  cluster: ClusterResource,
  name: ClusterName,
  choice: Exclude<EndpointChoice, 'connect-gateway'>,
): Endpoint {
  const dns = dnsEndpoint(cluster)
  const publicAddress = publicEndpoint(cluster)
  if (choice === 'dns' || (choice === 'auto' && dns.isOpen)) return openDnsEndpoint(cluster, name, dns)
  if (choice === 'ip' || (choice === 'auto' && publicAddress !== undefined)) {
    return openPublicEndpoint(cluster, name, publicAddress)
  }
  if (choice === 'private') return openPrivateEndpoint(cluster, name)
  throw unavailable(cluster, name, {
    problem:
      'cannot be reached from outside its network: its DNS endpoint allows no external traffic and it has no public IP endpoint',
    fix:
      `Do one of these: ${enableDns(name)}; or set endpoint: private, on a runner inside its network; ` +
      'or set endpoint: connect-gateway, where the cluster is in a fleet.',
  })
}

function openDnsEndpoint(cluster: ClusterResource, name: ClusterName, { address, isOpen }: DnsEndpoint): Endpoint {
  if (!address) {
    throw unavailable(cluster, name, { problem: 'has no DNS endpoint', fix: 'Choose another endpoint.' })
  }
  if (!isOpen) {
    throw unavailable(cluster, name, {
      problem: 'allows no external traffic at its DNS endpoint',
      fix: `Choose another endpoint, or ${enableDns(name)}.`,
    })
  }
  return {
    endpoint: 'dns',
    server: urlOf(address),
    certificateAuthority: undefined,
    hint: 'The identity needs container.clusters.connect in the project, for example by roles/container.clusterViewer. A VPC Service Controls perimeter can block it, too.',
  }
}

function openPublicEndpoint(cluster: ClusterResource, name: ClusterName, address: string | undefined): Endpoint {
  if (!address) {
    throw unavailable(cluster, name, {
      problem: 'has no public IP endpoint',
      fix: `Run inside its network with endpoint: private, or ${enableDns(name)}.`,
    })
  }
  return {
    endpoint: 'ip',
    server: urlOf(address),
    certificateAuthority: authorityOf(cluster, name),
    hint: hasAuthorizedNetworks(cluster)
      ? `Authorized networks are enabled: only the listed addresses are allowed, and the addresses of GitHub-hosted runners change. Alternatively, ${enableDns(name)}.`
      : 'Check whether a firewall blocks this runner from the public address of the control plane.',
  }
}

function openPrivateEndpoint(cluster: ClusterResource, name: ClusterName): Endpoint {
  const address =
    cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.privateEndpoint ??
    cluster.privateClusterConfig?.privateEndpoint
  if (!address) {
    throw unavailable(cluster, name, {
      problem: 'has no private IP endpoint',
      fix: `Choose another endpoint, or ${enableDns(name)}.`,
    })
  }
  return {
    endpoint: 'private',
    server: urlOf(address),
    certificateAuthority: authorityOf(cluster, name),
    hint: "Only a runner inside the cluster's network (or a peered network that the authorized networks allow) reaches the private endpoint.",
  }
}

/** The end of a sentence. */
function enableDns({ name, location, project }: ClusterName): string {
  const flags = `${name} --location ${location} --project ${project}`
  return `enable the DNS endpoint, which IAM protects: \`gcloud container clusters update ${flags} --enable-dns-access\``
}

function unavailable(
  cluster: ClusterResource,
  name: ClusterName,
  { problem, fix }: { readonly problem: string; readonly fix: string },
): ConfigurationError {
  const status = cluster.status && cluster.status !== 'RUNNING' ? ` (it is ${cluster.status})` : ''
  return new ConfigurationError({
    code: 'E_GKE_ENDPOINT_UNAVAILABLE',
    input: 'cluster',
    problem: `${fullName(name)}${status} ${problem}`,
    fix,
  })
}

interface DnsEndpoint {
  readonly address: string | undefined
  readonly isOpen: boolean
}

function dnsEndpoint(cluster: ClusterResource): DnsEndpoint {
  const config = cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig
  // Every cluster has the name; it works only where external traffic is allowed.
  return { address: config?.endpoint, isOpen: config?.allowExternalTraffic === true && Boolean(config.endpoint) }
}

function publicEndpoint(cluster: ClusterResource): string | undefined {
  const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig
  const oldConfig = cluster.privateClusterConfig
  const isClosed = config
    ? config.enabled !== true || config.enablePublicEndpoint === false
    : oldConfig?.enablePrivateEndpoint === true
  if (isClosed) return undefined
  const address = config?.publicEndpoint || oldConfig?.publicEndpoint || cluster.endpoint
  // `endpoint` is the private address where there is no public one.
  return address === (config?.privateEndpoint ?? oldConfig?.privateEndpoint) ? undefined : address || undefined
}

function hasAuthorizedNetworks(cluster: ClusterResource): boolean {
  const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.authorizedNetworksConfig
  return (config ?? cluster.masterAuthorizedNetworksConfig)?.enabled === true
}

function authorityOf(cluster: ClusterResource, name: ClusterName): string {
  const encoded = cluster.masterAuth?.clusterCaCertificate
  if (!encoded) {
    throw unavailable(cluster, name, {
      problem: 'has no certificate authority yet',
      fix: 'Wait until the cluster is running.',
    })
  }
  return Buffer.from(encoded, 'base64').toString('utf8')
}

function urlOf(address: string): string {
  return `https://${/^[0-9a-f]*:[0-9a-f:]+$/i.test(address) ? `[${address}]` : address}`
}
