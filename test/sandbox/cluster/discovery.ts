// The discovery API: enough for kubectl to find the resources.

interface Resource {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}

const resource = (
  name: string,
  kind: string,
  namespaced: boolean,
  verbs: string[],
  shortNames?: string[],
): Resource => ({
  name,
  singularName: name.includes('/') ? '' : kind.toLowerCase(),
  namespaced,
  kind,
  verbs,
  ...(shortNames ? { shortNames } : {}),
})

const resources: Record<string, Resource[]> = {
  v1: [
    resource('namespaces', 'Namespace', false, ['get', 'list'], ['ns']),
    resource('pods', 'Pod', true, ['get', 'list', 'delete'], ['po']),
    resource('pods/ephemeralcontainers', 'Pod', true, ['patch']),
    resource('pods/exec', 'PodExecOptions', true, ['get', 'create']),
    resource('pods/log', 'Pod', true, ['get']),
  ],
  'apps/v1': [
    resource('deployments', 'Deployment', true, ['get', 'list'], ['deploy']),
    resource('replicasets', 'ReplicaSet', true, ['get', 'list'], ['rs']),
  ],
  'authentication.k8s.io/v1': [resource('selfsubjectreviews', 'SelfSubjectReview', false, ['create'])],
  'authorization.k8s.io/v1': [
    resource('selfsubjectaccessreviews', 'SelfSubjectAccessReview', false, ['create']),
    resource('selfsubjectrulesreviews', 'SelfSubjectRulesReview', false, ['create']),
  ],
}

const groups = Object.keys(resources)
  .filter((version) => version.includes('/'))
  .map((groupVersion) => {
    const version = { groupVersion, version: 'v1' }
    return { name: groupVersion.split('/')[0], versions: [version], preferredVersion: version }
  })

const resourceList = (groupVersion: string): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: resources[groupVersion],
})

const documents: Record<string, object> = {
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups },
  '/api/v1': resourceList('v1'),
  ...Object.fromEntries(
    groups.map((group) => [
      `/apis/${group.versions[0]?.groupVersion}`,
      resourceList(group.versions[0]?.groupVersion ?? ''),
    ]),
  ),
  ...Object.fromEntries(
    groups.map((group) => [`/apis/${group.name}`, { kind: 'APIGroup', apiVersion: 'v1', ...group }]),
  ),
  '/version': {
    major: '1',
    minor: '36',
    gitVersion: 'v1.36.0',
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '',
    goVersion: '',
    compiler: 'node',
    platform: 'linux/amd64',
  },
}

export const discovery = (path: string): object | undefined => documents[path]
