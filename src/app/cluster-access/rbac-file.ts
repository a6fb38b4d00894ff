/**
 * The file in docs/rbac/ with all the rights of a capture at pod level, for the kind of identity.
 * @param input of the connection: with `cluster` the identity is Google's, even where the API server does not report it
 */
export function rbacFile(input: string, identity: string | undefined): string {
  if (input === 'cluster' || /^principal(Set)?:\/\/|\.gserviceaccount\.com$/.test(identity ?? '')) {
    return 'google-service-account.yaml'
  }
  // The subject of GitHub's ID token, after the prefix that the API server is configured to add.
  return /(^|:)repo:[^/]+\/[^:]+:/.test(identity ?? '') ? 'github-oidc.yaml' : 'developer.yaml'
}
