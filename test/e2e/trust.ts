import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GoogleServices } from '../sandbox/google/start.ts'

/** The subject of the job in the fake GitHub, and the audience in docs/rbac/authentication-configuration.yaml. */
export const subject = 'repo:octo-org/shop:environment:production'
export const audience = 'kubernetes-packet-capture'
export const place = { name: 'shop', location: 'europe-west1' }
export const cluster = 'projects/shop-prod/locations/europe-west1/clusters/shop'

/**
 * The flags of an API server that trusts the fake GitHub according to docs/rbac/authentication-configuration.yaml, and that asks the fake Google
 * about every other token, as GKE does.
 */
export function trusting(google: GoogleServices, folder: string): string[] {
  const documented = readFileSync(
    join(import.meta.dirname, '../../docs/rbac/authentication-configuration.yaml'),
    'utf8',
  )
  const authority = JSON.stringify(google.issuerCertificate)
  const text = documented
    .replace(
      'https://token.actions.githubusercontent.com',
      `${google.issuer}\n      certificateAuthority: ${authority}`,
    )
    .replace('repo:OWNER/REPOSITORY:environment:packet-capture', subject)
  if (!text.includes(google.issuer) || !text.includes(subject)) throw new Error('the documented file has changed')
  const authentication = join(folder, 'authentication.yaml')
  writeFileSync(authentication, text)
  const webhook = join(folder, 'webhook.kubeconfig')
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'google' },
    clusters: [{ name: 'google', cluster: { server: google.tokenReviewUrl } }],
    users: [{ name: 'server', user: {} }],
    contexts: [{ name: 'google', context: { cluster: 'google', user: 'server' } }],
  }
  writeFileSync(webhook, JSON.stringify(config))
  return [
    `--authentication-config=${authentication}`,
    `--authentication-token-webhook-config-file=${webhook}`,
    ...['--authentication-token-webhook-version=v1', '--authentication-token-webhook-cache-ttl=1s'],
  ]
}

export const user = (name: string): { name: string; subject: Record<string, string> } => ({
  name,
  subject: { kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' },
})
